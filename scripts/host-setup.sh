#!/bin/bash
# Set this computer up for vcam: virtual cameras that are there after every start, and plug-in start of USB cameras.
# Says what it would do, asks, does it; does nothing twice, and never touches a file that it did not write.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here repo=${here%/*}
# shellcheck source=scripts/host/files.sh
source "$here/host/files.sh"
# shellcheck source=scripts/host/packages.sh
source "$here/host/packages.sh"
# shellcheck source=scripts/host/checks.sh
source "$here/host/checks.sh"
# shellcheck source=scripts/host/steps.sh
source "$here/host/steps.sh"

usage() {
  cat <<'END'
usage: scripts/host-setup.sh [options]

  -n, --dry-run         say what would be done, and do nothing
  -y, --yes             do not ask
      --uninstall       take away what this script made, and nothing else
      --outputs N       how many virtual cameras (2): AI-Camera, AI-Camera 2, ...
      --first N         the number of the first one (10): /dev/video10
      --driver NAME     v4l2loopback (the default) or akvcam
      --runtime NAME    what plugging in a camera starts:
                          docker   a container (the default where Docker with compose is installed)
                          native   vcam installed in /opt/vcam, and typed as vcam (the default elsewhere)
                          user     the same, run by the user who is logged in
                          none     nothing
      --on-unplug WHAT  stop (the default), or card: go on with the card until the camera is back
      --vcam PROGRAM    run this vcam, for native and user; nothing is installed in /opt/vcam then
      --extras LIST     for native: vcam's extras (cpu,service; with an NVIDIA GPU gpu,cpu,service)
      --no-packages     install no packages of the distribution
      --root DIR        treat DIR as /; nothing is started, loaded or installed from the network
      --activate        with --root: do run commands (for tests)
  -h, --help            this text

Without root, only --dry-run and --root work. Settings of cameras: /etc/vcam/vcam.env.
END
}

die() { printf 'host-setup: %s\n' "$*" >&2; exit 1; }

number() {
  if ! [[ $2 =~ ^[0-9]+$ ]] || (($2 < $3 || $2 > $4)); then die "$1 takes a number from $3 to $4, not $2"; fi
}

one_of() {
  local option=$1 value=$2
  shift 2
  [[ " $* " == *" $value "* ]] || die "$option takes one of: $*; not $value"
}

parse() {
  while (($#)); do
    case $1 in
      -n | --dry-run) dry_run=yes ;;
      -y | --yes) assume_yes=yes ;;
      --uninstall) action=uninstall ;;
      --no-packages) packages=no ;;
      --activate) activate=yes ;;
      -h | --help) usage; exit 0 ;;
      --outputs | --first | --driver | --runtime | --on-unplug | --vcam | --extras | --root)
        (($# >= 2)) || die "$1 needs a value; see --help"
        local key=${1#--}
        printf -v "option_${key//-/_}" %s "$2"
        shift ;;
      *) die "there is no option $1; see --help" ;;
    esac
    shift
  done
}

check_options() {
  number --outputs "$option_outputs" 1 8
  number --first "$option_first" 0 200
  one_of --driver "$option_driver" v4l2loopback akvcam
  one_of --on-unplug "$option_on_unplug" stop card
  [[ $option_extras =~ ^([a-z][a-z-]*(,[a-z][a-z-]*)*)?$ ]] || die "--extras takes names with commas between, such as cpu,service"
  [[ -z $option_vcam || -x $option_vcam ]] || die "--vcam: there is no program $option_vcam"
  [[ -z $option_vcam || $option_vcam == /* ]] || option_vcam=$PWD/$option_vcam
  if [[ $option_root != '' ]]; then
    [[ -d $option_root ]] || die "--root: there is no folder $option_root"
    option_root=$(cd "$option_root" && pwd)
  else
    activate=yes
  fi
  if [[ -z $option_runtime ]]; then
    if docker compose version >/dev/null 2>&1; then option_runtime=docker; else option_runtime=native; fi
  fi
  one_of --runtime "$option_runtime" docker native user none
}

confirm() {
  [[ $assume_yes == no && -t 0 ]] || return 0
  local answer
  read -r -p 'Go on? [Y/n] ' answer
  [[ -z $answer || $answer == [YyJj]* ]] || die 'nothing was changed'
}

action=install dry_run=no assume_yes=no packages=yes activate=no
option_outputs=2 option_first=10 option_driver=v4l2loopback option_runtime='' option_on_unplug=stop
option_vcam='' option_extras='' option_root=''
parse "$@"
check_options
readonly root=$option_root

mode=plan
"$action"_steps
((${#conflicts[@]} == 0)) || { tell_conflicts; exit 1; }
if ((changes == 0)); then
  say 'Nothing to do: all is as it should be.'
elif [[ $dry_run == yes ]]; then
  say 'This was a dry run: nothing was changed.'
else
  [[ -n $root || $EUID == 0 ]] || die 'nothing was changed: this needs root. Run it again with sudo'
  confirm
  mode=act
  "$action"_steps
  say 'Done.'
fi
[[ $action != install || $dry_run == yes ]] || closing_words
