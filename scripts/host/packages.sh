# What the distribution has to give. Sourced by host-setup.sh.
# shellcheck shell=bash disable=SC2154  # root, mode, activate, packages, option_*: set by host-setup.sh

family() { # debian, fedora, arch, or nothing
  local like
  like=" $(sed -nE 's/^(ID|ID_LIKE)=//p' "$root/etc/os-release" 2>/dev/null | tr -d "\"'" | tr '\n' ' ')"
  case $like in
    *" debian "* | *" ubuntu "*) echo debian ;;
    *" fedora "* | *" rhel "*) echo fedora ;;
    *" arch "*) echo arch ;;
  esac
}

kernel() { uname -r; }

module_there() { # MODULE: built for the running kernel, or loaded
  [[ -d $root/sys/module/$1 ]] || modinfo -k "$(kernel)" "$1" >/dev/null 2>&1
}

package_there() {
  case $(family) in
    debian) [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ;;
    fedora) rpm -q --quiet --whatprovides "$1" 2>/dev/null ;;
    arch) pacman -Qq "$1" >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}

installation_of() { # PACKAGES: the command that installs them
  case $(family) in
    debian) echo "apt-get install -y $*" ;;
    fedora) echo "dnf install -y $*" ;;
    arch) echo "pacman -S --needed --noconfirm $*" ;;
  esac
}

removal_of() {
  case $(family) in
    debian) echo "apt-get remove $1" ;;
    fedora) echo "dnf remove $1" ;;
    *) echo "pacman -R $1" ;;
  esac
}

headers_packages() { # without the kernel's headers DKMS builds nothing, and says so in a log that nobody reads
  local flavour name
  case $(family) in
    debian) # for the kernel that runs, and for those that come with upgrades
      flavour=$(kernel)
      for name in "linux-headers-$flavour" "linux-headers-${flavour##*-}"; do
        if apt-cache show "$name" >/dev/null 2>&1; then echo "$name"; fi
      done ;;
    fedora) echo "kernel-devel-$(kernel)" ;;
    arch) # linux, linux-lts, linux-zen, ...
      flavour=$(cat "$root/usr/lib/modules/$(kernel)/pkgbase" 2>/dev/null) || flavour=linux
      echo "$flavour-headers" ;;
  esac
}

module_packages() {
  case $(family) in
    debian | arch) echo v4l2loopback-dkms; headers_packages ;;
    fedora) echo akmod-v4l2loopback; headers_packages ;;
    *) echo v4l2loopback ;;
  esac
}

native_packages() { # what it takes to install vcam from this checkout
  case $(family) in
    debian)
      local turbo=libturbojpeg0
      apt-cache show $turbo >/dev/null 2>&1 || turbo=libturbojpeg # Ubuntu's name
      echo "python3-venv python3-dev g++ $turbo" ;;
    fedora) echo 'python3-devel gcc-c++ turbojpeg' ;;
    arch) echo 'python gcc libjpeg-turbo' ;;
  esac
}

install_packages() { # PACKAGES
  local name missing=()
  for name in "$@"; do package_there "$name" || missing+=("$name"); done
  ((${#missing[@]})) || return 0
  if [[ -z $(family) ]]; then
    note "an unknown distribution: install ${missing[*]} yourself"
    return 0
  fi
  [[ $activate == yes ]] || return 0
  local command
  command=$(installation_of "${missing[@]}")
  will "install ${missing[*]}: $command" || return 0
  [[ $(family) != debian ]] || apt-get update -qq || true
  # shellcheck disable=SC2086  # words on purpose
  if DEBIAN_FRONTEND=noninteractive $command; then
    make_place "$manifest"
    for name in "${missing[@]}"; do record package - "$name"; done
  else
    printf '     failed: %s\n' "$command" >&2
    [[ $(family) != fedora ]] || say '     v4l2loopback for Fedora is in RPM Fusion: see https://rpmfusion.org/Configuration, then try again'
  fi
}

need_module() { # MODULE
  module_there "$1" && return 0
  if [[ $packages == no ]]; then
    note "the kernel module $1 is not there, and --no-packages was said"
  elif [[ $1 == akvcam ]]; then
    note 'no distribution of ours has akvcam: build it as https://github.com/webcamoid/akvcam/wiki says, then run this again'
  else
    # shellcheck disable=SC2046  # words on purpose
    install_packages $(module_packages)
    [[ $(family) != fedora ]] || perform akmods --force --kernels "$(kernel)"
  fi
}
