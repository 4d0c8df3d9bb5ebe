#!/usr/bin/env bash
# What an image needs from its distribution (Debian, Ubuntu). Usage: packages.sh runtime|build
set -euo pipefail
kind=${1:?usage: packages.sh runtime|build}

apt-get update -qq
case $kind in
runtime)
  # The one package of libjpeg-turbo has two names.
  turbo=libturbojpeg0
  apt-cache show "$turbo" >/dev/null 2>&1 || turbo=libturbojpeg
  packages=(python3 "$turbo" libgomp1 tini ca-certificates)
  ;;
build) packages=(python3-venv python3-dev g++) ;;
*) echo "packages.sh: runtime or build, not $kind" >&2 && exit 2 ;;
esac
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
