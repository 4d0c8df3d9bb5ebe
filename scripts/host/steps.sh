# The steps of installing and uninstalling, in their order. Sourced by host-setup.sh.
# shellcheck shell=bash disable=SC2154  # root, mode, here, repo, option_*: set by host-setup.sh

readonly modprobe_file=/etc/modprobe.d/vcam.conf load_file=/etc/modules-load.d/vcam.conf
readonly akvcam_file=/etc/akvcam/config.ini rules_file=/etc/udev/rules.d/90-vcam.rules
readonly system_units=/etc/systemd/system user_units=/etc/systemd/user home=/opt/vcam program=/usr/local/bin/vcam

install_steps() {
  say "$([[ $mode == act ]] && echo 'Setting up:' || echo "vcam with $option_driver, plug-in start: $option_runtime. To be done:")"
  name_outputs
  install_module
  install_plug_in
  install_runtime
  activate_all
  explain_secure_boot "$option_driver"
  [[ $option_driver != v4l2loopback ]] || explain_version
  check_nvidia
}

uninstall_steps() {
  say "$([[ $mode == act ]] && echo 'Taking away:' || echo 'To be taken away:')"
  [[ -f $root$manifest ]] || { say '  nothing of ours is here'; return 0; }
  if [[ -d $root/run/systemd/system ]]; then perform systemctl stop 'vcam@*.service'; fi
  remove_all
  activate_rules
  activate_units
  if [[ -d $root/sys/module/v4l2loopback ]] && only_ours_loaded; then perform modprobe -r v4l2loopback; fi
  note 'what vcam itself keeps (networks, plans) stays in /var/lib/vcam and in Docker'\''s volumes'
}

name_outputs() {
  numbers=() labels=()
  local position
  for ((position = 0; position < option_outputs; position++)); do
    numbers+=($((option_first + position)))
    labels+=("AI-Camera$( ((position == 0)) || echo " $((position + 1))")")
  done
  check_numbers
}

joined() { local IFS=,; printf %s "$*"; }

install_module() {
  need_module "$option_driver"
  check_foreign_options
  module_changed=$changes
  if [[ $option_driver == v4l2loopback ]]; then
    drop "$akvcam_file"
    put_file "$modprobe_file" 644 <<END
# Written by vcam's host-setup.sh. exclusive_caps: else Chrome and others do not list the camera.
options v4l2loopback devices=$option_outputs video_nr=$(joined "${numbers[@]}") card_label="$(joined "${labels[@]}")" exclusive_caps=$(joined "${numbers[@]/*/1}")
END
  else
    drop "$modprobe_file"
    put_file "$akvcam_file" 644 < <(akvcam_config)
  fi
  put_file "$load_file" 644 <<END
# Written by vcam's host-setup.sh.
$option_driver
END
  module_changed=$((changes - module_changed))
}

akvcam_config() { # each camera is a pair: vcam writes to /dev/videoN, applications read the node beside it
  local position
  printf '; Written by vcam'\''s host-setup.sh.\n[Cameras]\ncameras/size = %d\n' $((2 * option_outputs))
  for position in "${!numbers[@]}"; do
    printf '\ncameras/%d/type = output\ncameras/%d/mode = mmap, userptr, rw\ncameras/%d/description = To %s\n' \
      $((2 * position + 1)) $((2 * position + 1)) $((2 * position + 1)) "${labels[position]}"
    printf 'cameras/%d/formats = 1\ncameras/%d/videonr = %d\n' $((2 * position + 1)) $((2 * position + 1)) "${numbers[position]}"
    printf '\ncameras/%d/type = capture\ncameras/%d/mode = mmap, rw\ncameras/%d/description = %s\ncameras/%d/formats = 1\n' \
      $((2 * position + 2)) $((2 * position + 2)) $((2 * position + 2)) "${labels[position]}" $((2 * position + 2))
  done
  printf '\n[Formats]\nformats/size = 1\nformats/1/format = YUY2\nformats/1/width = 1280\nformats/1/height = 720\nformats/1/fps = 30\n'
  printf '\n[Connections]\nconnections/size = %d\n' "$option_outputs"
  for position in "${!numbers[@]}"; do
    printf 'connections/%d/connection = %d:%d\n' $((position + 1)) $((2 * position + 1)) $((2 * position + 2))
  done
}

install_plug_in() {
  rules_changed=$changes
  if [[ $option_runtime == none ]]; then drop "$rules_file"; else put_file "$rules_file" 644 <"$repo/udev/90-vcam.rules"; fi
  rules_changed=$((changes - rules_changed)) units_changed=$changes
  local folder used=''
  case $option_runtime in
    native | docker) used=$system_units ;;
    user) used=$user_units ;;
  esac
  for folder in "$system_units" "$user_units"; do
    if [[ $folder == "$used" ]]; then
      put_file "$folder/vcam@.service" 644 <"$repo/systemd/$option_runtime/vcam@.service"
    else
      drop "$folder/vcam@.service"
    fi
    if [[ $folder == "$used" && $option_on_unplug == stop ]]; then
      put_file "$folder/vcam@.service.d/unplug-stops.conf" 644 <"$repo/systemd/unplug-stops.conf"
    else
      drop "$folder/vcam@.service.d/unplug-stops.conf"
    fi
  done
  units_changed=$((changes - units_changed))
  [[ $option_runtime != none ]] || return 0
  put_file /usr/local/lib/vcam/claim 755 <"$repo/systemd/claim"
  put_once /etc/vcam/vcam.env 644 <"$repo/systemd/vcam.env"
}

install_runtime() {
  case $option_runtime in
    docker) put_link "$home/compose" "$repo" ;;
    native | user)
      if [[ -n $option_vcam ]]; then put_link "$home/bin/vcam" "$option_vcam"; else install_native; fi
      link_program ;;
  esac
}

link_program() { # so that `vcam` can be typed
  [[ -n $option_vcam || $activate == yes ]] || return 0
  if [[ (-e $root$program || -L $root$program) && -z $(recorded link "$program") ]]; then
    note "$program is not ours and stays: type $home/bin/vcam"
  else
    put_link "$program" "$home/bin/vcam"
  fi
}

install_native() { # a virtual environment with this checkout in it; again when the checkout is another version
  local version extras=$option_extras
  version=$(cd "$repo" && { git -c safe.directory="*" describe --always --dirty 2>/dev/null || sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml; })
  if [[ -z $extras ]]; then
    extras=cpu,service
    [[ ! -e $root/proc/driver/nvidia/version ]] || extras=gpu,cpu,service
  fi
  [[ $(cat "$root$home/installed" 2>/dev/null) != "$version $extras" ]] || return 0
  if [[ -e $root$home/bin && -z $(recorded tree "$home") ]]; then
    conflict "$home is there and is not ours"
    return 0
  fi
  [[ $activate == yes ]] || { note "$home is left out: nothing is installed from the network into another root"; return 0; }
  # shellcheck disable=SC2046  # words on purpose
  [[ $packages == no ]] || install_packages $(native_packages)
  will "install vcam $version with [$extras] into $home (some 500 MB; takes minutes)" || return 0
  make_place "$home/installed"
  record tree - "$home"
  python3 -m venv "$root$home"
  local build
  build=$(mktemp -d) # not in the checkout, where root's files would be in its owner's way
  "$root$home/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$repo/constraints.txt" \
    --config-settings=build-dir="$build" "${repo}[$extras]"
  rm -rf "$build"
  printf '%s %s\n' "$version" "$extras" >"$root$home/installed"
}

only_ours_loaded() { # no virtual camera of another program hangs on the module
  local file
  for file in "$root"/sys/devices/virtual/video4linux/video*/name; do
    if [[ -f $file && $(<"$file") != *AI-Camera* ]]; then return 1; fi
  done
}

activate_rules() {
  perform udevadm control --reload
}

activate_units() {
  if [[ -d $root/run/systemd/system ]]; then perform systemctl daemon-reload; fi
}

activate_all() {
  ((units_changed == 0)) || activate_units
  ((rules_changed == 0)) || activate_rules
  local loaded=$root/sys/module/$option_driver
  if [[ -d $loaded ]] && ((module_changed)); then
    if only_ours_loaded; then
      perform modprobe -r "$option_driver"
      perform modprobe "$option_driver"
    else
      note "$option_driver is loaded with cameras of other programs: the new ones come at the next start-up, or now with" \
        "sudo modprobe -r $option_driver && sudo modprobe $option_driver"
    fi
  elif [[ ! -d $loaded ]]; then
    perform modprobe "$option_driver"
  fi
  # A camera that is plugged in already starts as if it were plugged in now.
  ((rules_changed + units_changed == 0)) || perform udevadm trigger --action=add --subsystem-match=video4linux
}
