#!/bin/bash
# needs.sh [--install]   What the virtual machine needs of this computer: told, or, by root on a Debian, installed.
set -euo pipefail

declare -rA PACKAGE=([qemu-system-x86_64]=qemu-system-x86 [mmdebstrap]=mmdebstrap [mkfs.ext4]=e2fsprogs [make]=make [gcc]=gcc)
missing=()
for program in "${!PACKAGE[@]}"; do
  PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("${PACKAGE[$program]}")
done
[[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
((${#missing[@]})) || exit 0

if [[ ${1-} != --install ]] || ((EUID)) || ! command -v apt-get >/dev/null; then
  echo "the virtual machine needs: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "installing for the virtual machine: ${missing[*]}"
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${missing[@]}" >/dev/null
