#!/usr/bin/env bash
# A udevadm that can check rules, for a Debian 12 whose own (252) cannot: out of its backports, unpacked, not installed.
# Usage: udevadm.sh DIR; prints the program's path.
set -euo pipefail
dir=${1:?usage: udevadm.sh DIR}
mkdir -p "$dir"/apt/{lists,archives}/partial "$dir/files"
dir=$(cd "$dir" && pwd)
mirror=$(grep -hm1 -oE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1 | tr -d ' ') || true
[[ -n $mirror ]] || { echo 'udevadm.sh: no source of Debian packages is set up here' >&2 && exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" >"$dir/apt/sources.list"
cat >"$dir/apt/apt.conf" <<END
Dir::State "$dir/apt"; Dir::State::status "/dev/null"; Dir::Cache "$dir/apt";
Dir::Etc::SourceList "$dir/apt/sources.list"; Dir::Etc::SourceParts "-"; APT::Sandbox::User "root";
END
cd "$dir/files"
export APT_CONFIG=$dir/apt/apt.conf
apt-get update -qq && apt-get download -qq udev libsystemd-shared
for package in *.deb; do dpkg -x "$package" .; done
printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$dir/files/usr/lib/$(uname -m)-linux-gnu/systemd" "$dir/files/bin/udevadm" >"$dir/udevadm"
chmod +x "$dir/udevadm"
echo "$dir/udevadm"
