# What may stand in the way and is not ours to change: looked at, told, explained. Sourced by host-setup.sh.
# shellcheck shell=bash disable=SC2154  # root, mode, option_*: set by host-setup.sh

secure_boot() { # true when the firmware lets only signed modules in
  local variable
  for variable in "$root"/sys/firmware/efi/efivars/SecureBoot-*; do
    [[ -r $variable && $(od -An -tu1 -j4 -N1 "$variable" | tr -d ' ') == 1 ]] && return 0
  done
  return 1
}

explain_secure_boot() { # MODULE: only where it matters, which is where the module is not loaded yet
  if [[ $mode != plan || -d $root/sys/module/$1 ]] || ! secure_boot; then return 0; fi
  local key import
  case $(family) in
    debian) key=/var/lib/dkms/mok.pub; [[ ! -e $root/var/lib/shim-signed/mok/MOK.der ]] || key=/var/lib/shim-signed/mok/MOK.der ;;
    fedora) key=/etc/pki/akmods/certs/public_key.der ;;
    *) key=/var/lib/dkms/mok.pub ;;
  esac
  import="sudo mokutil --import $key"
  say "  Secure Boot is on: the kernel takes only modules that are signed with a key it knows. $1 is signed, when it is
  built here, with this computer's own key ($key). To make that key known, once:
      $import          (asks for a password, to be typed once more below)
      sudo reboot      (a blue screen comes: Enroll MOK, Continue, Yes, the password, Reboot)
  Without it \`modprobe $1\` says \"Key was rejected by service\". Turning Secure Boot off in the firmware works as well."
}

explain_version() { # known faults of the module that is there
  [[ $mode == plan ]] || return 0
  local version
  version=$(cat "$root/sys/module/v4l2loopback/version" 2>/dev/null) \
    || version=$(modinfo -k "$(kernel)" -F version v4l2loopback 2>/dev/null) || return 0
  case $version in
    0.12.[567]*) note "v4l2loopback $version cannot tell whether an application watches: on_demand guesses. 0.13.2 or newer can" ;;
    0.1[4-9].*) note "v4l2loopback $version lets one application at a time read a virtual camera, and OBS before 31.1 cannot write to it" ;;
  esac
}

check_nvidia() { # containers see the GPU only through NVIDIA's toolkit
  [[ $mode == plan && $option_runtime == docker && -e $root/proc/driver/nvidia/version ]] || return 0
  if docker info --format '{{json .Runtimes}}' 2>/dev/null | grep -q nvidia || compgen -G "$root/etc/cdi/nvidia*" >/dev/null \
    || compgen -G "$root/var/run/cdi/nvidia*" >/dev/null; then
    return 0
  fi
  say '  There is an NVIDIA GPU, but Docker cannot hand it to a container. Not done here, because it takes NVIDIA'\''s own
  package source: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html, then
      sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker'
}

check_foreign_options() { # of the module, by others: which of the two wins is a matter of file names
  local file
  for file in "$root"/etc/modprobe.d/*.conf; do
    [[ $file != "$root$modprobe_file" && -f $file ]] || continue
    if grep -qE "^[[:space:]]*options[[:space:]]+${option_driver}[[:space:]]" "$file"; then
      conflict "${file#"$root"} sets options of $option_driver: remove that line, or merge what you need of it into ours afterwards"
    fi
    if grep -qE "^[[:space:]]*blacklist[[:space:]]+$option_driver\b" "$file"; then
      note "${file#"$root"} keeps $option_driver from being loaded at start-up: remove that line"
    fi
  done
}

check_numbers() { # a real camera may have taken one of the numbers
  local number label
  for number in "${numbers[@]}"; do
    label=$(cat "$root/sys/class/video4linux/video$number/name" 2>/dev/null) || continue
    [[ $label == *AI-Camera* ]] || conflict "/dev/video$number is \"$label\": choose other numbers with --first"
  done
}

closing_words() {
  [[ $option_runtime != none ]] || return 0
  say "
Plug a USB camera in: it becomes AI-Camera (/dev/video$option_first) in every application.
  systemctl $([[ $option_runtime == user ]] && echo '--user ')status 'vcam@*'     what runs
  make doctor                      what stands in the way, with a remedy for each"
}
