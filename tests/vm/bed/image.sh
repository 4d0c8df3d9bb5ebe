#!/bin/bash
# image.sh FOLDER   Build the guest: Debian 12 with its newest kernel, real V4L2 drivers, and the applications that read
# cameras. Makes disk.img, initrd.img and vmlinuz in FOLDER. Needs root (for the guest's files), and what needs.sh names.
# Who uses it caches by this file's content: whatever changes the guest stands in here.
set -euo pipefail

readonly SUITE=bookworm LOOPBACK_SUITES='bookworm bookworm-backports trixie' # v4l2loopback 0.12.7, 0.13.2, 0.15.0
readonly PACKAGES=systemd-sysv,udev,kmod,dbus,procps,usbutils,psmisc,python3,v4l-utils,libgomp1,libturbojpeg0,ffmpeg
readonly READERS=podman,crun,gstreamer1.0-tools,gstreamer1.0-plugins-base,gstreamer1.0-plugins-good,chromium,fonts-dejavu-core
readonly KEY=/usr/share/keyrings/debian-archive-keyring.gpg
# Loaded before the root file system is there; carried in the guest's own file system.
readonly EARLY='virtio_pci virtio_blk crc32c_generic ext4 9p 9pnet_virtio'
readonly LATER='virtio_console virtio_rng vivid uvcvideo vhci-hcd overlay autofs4 loop'
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

out=$(mkdir -p "$1" && cd "$1" && pwd)
work=$out/work
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
cd "$work"

mirror() { # the one that this computer's apt uses
  grep -rhoE "https?://[^ ]+/$1/?( |\$)" /etc/apt/sources.list /etc/apt/sources.list.d/ 2>/dev/null | head -1 | tr -d ' ' || true
}
debian=$(mirror debian) security=$(mirror debian-security)
if [[ -z $debian || -z $security ]]; then
  echo "image.sh: /etc/apt names no mirror of Debian; remedy: write one into /etc/apt/sources.list.d" >&2
  exit 1
fi

private_apt() { # an apt of our own: the computer's is left alone
  "$1" -qq -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" -o Dir::State::status="$work/apt/status" \
    -o APT::Sandbox::User=root "${@:2}"
}

fetch_kernel() {
  mkdir -p apt/{lists,cache/archives}/partial debs
  : >apt/status
  { echo "deb [signed-by=$KEY] $security $SUITE-security main"
    for suite in $LOOPBACK_SUITES; do echo "deb [signed-by=$KEY] $debian $suite main"; done; } >apt/sources.list
  private_apt apt-get update
  kernel=$(private_apt apt-cache depends "linux-image-amd64/$SUITE-security" |
    sed -n 's/.*Depends: linux-image-\([0-9][^ ]*\)$/\1/p' | head -1)
  cd debs
  private_apt apt-get download "linux-image-$kernel" "linux-headers-$kernel" "linux-headers-${kernel%-amd64}-common" \
    linux-kbuild-6.1 busybox-static/$SUITE
  for suite in $LOOPBACK_SUITES; do private_apt apt-get download "v4l2loopback-dkms/$suite"; done
  for package in *.deb; do dpkg -x "$package" ../kernel; done
  cd ..
}

make_root() {
  local skip=()
  for folder in man doc locale info; do skip+=("--dpkgopt=path-exclude=/usr/share/$folder/*"); done
  mmdebstrap --mode=root --variant=minbase --quiet --aptopt='APT::Sandbox::User "root"' "${skip[@]}" \
    --include=$PACKAGES,$READERS $SUITE root "deb $debian $SUITE main" "deb $security $SUITE-security main"
}

build_loopbacks() { # each beside the others; the newest is what modprobe finds
  local headers=$work/kernel/usr/src/linux-headers-$kernel source
  sed -i "s#^include /usr/src#include $work/kernel/usr/src#" "$headers/Makefile"
  for source in kernel/usr/src/v4l2loopback-*; do
    make -s -C "$headers" M="$work/$source" modules
    strip --strip-debug "$source/v4l2loopback.ko"
  done
}

dependencies() { for m in "$@"; do chroot root modprobe -S "$kernel" --show-depends "$m"; done | awk '$1 == "insmod" && !seen[$2]++ {print $2}'; }

install_modules() { # only those that are used: the whole set is 400 MB
  local modules=root/lib/modules/$kernel source version
  mkdir -p "$modules/updates" keep
  cp -r "kernel/lib/modules/$kernel/"{kernel,modules.builtin,modules.builtin.modinfo,modules.order} "$modules/"
  for source in kernel/usr/src/v4l2loopback-*; do # sorted: the newest comes last
    version=${source##*-}
    mkdir -p "root/opt/v4l2loopback/$version"
    cp "$source/v4l2loopback.ko" "root/opt/v4l2loopback/$version/"
    cp "$source/v4l2loopback.ko" "$modules/updates/"
  done
  chroot root depmod "$kernel"
  # shellcheck disable=SC2086
  dependencies $EARLY >early
  # shellcheck disable=SC2086
  dependencies $LATER v4l2loopback >later
  sort -u early later | sed "s#^/lib/modules/$kernel/##" | tar cf - -C "$modules" -T - | tar xf - -C keep
  mkdir -p initrd/{bin,lib,dev,proc,root}
  while read -r module; do cp "root$module" initrd/lib/; done <early
  rm -rf "${modules:?}/"{kernel,updates}
  cp -r keep/* "$modules/"
  chroot root depmod "$kernel"
}

make_initrd() {
  cp kernel/bin/busybox initrd/bin/
  cp early initrd/
  cat >initrd/init <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs d /dev
while read m; do $b insmod /lib/${m##*/}; done < /early
$b mount -t ext4 -o rw,noatime /dev/vda /root
$b mount --move /dev /root/dev
exec $b switch_root /root /lib/systemd/systemd
INIT
  chmod +x initrd/init
  (cd initrd && find . | bin/busybox cpio -o -H newc 2>/dev/null | gzip -1) >initrd.img
  cp "kernel/boot/vmlinuz-$kernel" vmlinuz
}

configure() {
  local options=trans=virtio,version=9p2000.L,msize=262144 unit units=root/etc/systemd/system
  mkdir -p root/{host,mnt/python,mnt/packages,opt/bed}
  cat >root/etc/fstab <<FSTAB
/dev/vda / ext4 noatime 0 0
host /host 9p $options,cache=none 0 0
python /mnt/python 9p $options,cache=loose,ro 0 0
packages /mnt/packages 9p $options,cache=loose,ro 0 0
FSTAB
  cat >$units/agent.service <<'UNIT'
[Unit]
RequiresMountsFor=/host /mnt/python /mnt/packages
After=systemd-udev-settle.service dbus.socket
Wants=systemd-udev-settle.service
[Service]
Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WorkingDirectory=/run
ExecStart=/usr/bin/python3 /host/inside/agent.py
UNIT
  ln -s ../agent.service $units/multi-user.target.wants/
  echo virtio_console >root/etc/modules-load.d/agent.conf
  # What a guest of a few minutes has no use for, and what costs it seconds.
  for unit in systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-timesyncd.service e2scrub_reap.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer getty@tty1.service getty.target \
    systemd-update-utmp.service ldconfig.service; do ln -sf /dev/null "$units/$unit"; done
}

fetch_kernel
make_root &
build_loopbacks
wait $!
install_modules
make_initrd
configure
mkfs.ext4 -q -O ^has_journal,^metadata_csum -m 0 -d root disk.img "$(($(du -sm root | cut -f1) * 13 / 10 + 300))M"
mv disk.img initrd.img vmlinuz "$out/"
