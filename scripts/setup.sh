#!/usr/bin/env bash
# Set up .venv with vcam in it, from nothing. Usage: scripts/setup.sh base|dev
# What the system must give (Python 3.11+, a C++ compiler, libturbojpeg) is installed when we are root on a
# Debian-like system, and otherwise asked for in one line.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?usage: scripts/setup.sh base|dev}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The first of these interpreters that is new enough and can make a venv.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

need=()
find_python >/dev/null || need+=(python3-venv python3-dev)
command -v "${CXX:-c++}" >/dev/null || need+=(g++)
ldconfig -p 2>/dev/null | grep -q libturbojpeg.so || need+=(libturbojpeg0)
if ((${#need[@]})); then
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    say "installing ${need[*]}"
    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${need[@]}" >/dev/null \
      || say "could not install ${need[*]}"
  else
    say "missing: ${need[*]}. Remedy: sudo apt-get install ${need[*]} (Ubuntu names the last libturbojpeg)"
  fi
fi
python=$(find_python) || die "needs Python 3.11 or newer with venv; remedy: sudo apt-get install python3-venv, or PYTHON=/path/to/python3.11 make ..."
command -v "${CXX:-c++}" >/dev/null || die "needs a C++ compiler; remedy: sudo apt-get install g++"
ldconfig -p 2>/dev/null | grep -q libturbojpeg.so || say "no libturbojpeg: camera JPEGs are decoded by the slower PyAV"

[[ -x .venv/bin/python ]] || { say "creating .venv with $("$python" --version)"; "$python" -m venv .venv; }
say "installing vcam ($kind); the first time this takes a minute or two"
target='.'
[[ $kind == base ]] || target=".[$kind]"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable "$target"
touch ".venv/.$kind"
[[ $kind == dev ]] && touch .venv/.base
say "ready"
