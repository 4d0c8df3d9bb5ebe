#!/usr/bin/env bash
# Start the appliance, or bring it up to date: `make up`. What is not told is found.
#   CAMERA=/dev/v4l/by-id/...   OUTPUT=/dev/video10   BACKGROUND=blur, green, image:beach.jpg ...   all also in .env
#   GPU=yes|no   IMAGE=NAME (one that is built already)   BUILD=yes|no   SERVICES="vcam prometheus grafana"
# ROOT: of another file system, for tests.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/dotenv.sh
source scripts/dotenv.sh
root=${ROOT-}
readonly OLDEST_COMPOSE=2.24 WAIT_S=${WAIT_S:-180}

say() { printf 'vcam: %s\n' "$*" >&2; }
die() { printf 'vcam: %s\nremedy: %s\n' "$1" "$2" >&2; exit 1; }

need_docker() {
  local told
  command -v docker >/dev/null \
    || die 'Docker is not installed' 'https://docs.docker.com/engine/install; or without it: make setup && .venv/bin/vcam run'
  if ! told=$(docker version --format '{{.Server.Version}}' 2>&1); then
    [[ ${told,,} != *'permission denied'* ]] \
      || die "$(id -un) may not use Docker" "sudo usermod -aG docker $(id -un), then log out and in again"
    die 'the Docker engine does not answer' 'sudo systemctl enable --now docker'
  fi
  told=$(docker compose version --short 2>/dev/null) || told=none
  [[ $(printf '%s\n' "$OLDEST_COMPOSE" "${told#v}" | sort -V | head -1) == "$OLDEST_COMPOSE" && $told != none ]] \
    || die "docker compose $OLDEST_COMPOSE or newer is needed, here is $told" \
      'sudo apt-get install docker-compose-plugin (Debian: docker-compose, Ubuntu: docker-compose-v2)'
}

label() { # of a node's number
  cat "$root/sys/class/video4linux/video$1/name" 2>/dev/null
}

is_camera() { # a node's number: pictures come out of it, and no program makes them
  local folder
  folder=$(realpath "$root/sys/class/video4linux/video$1") || return
  [[ $folder != */virtual/* && $(cat "$folder/index" 2>/dev/null) == 0 ]]
}

cameras() { # by names that stay the same when plugs are changed, else by number
  local node name by_id=()
  for name in "$root"/dev/v4l/by-id/*-video-index0; do
    node=$(realpath -q "$name") || continue
    is_camera "${node##*/video}" && by_id+=("${name#"$root"}")
  done
  if ((${#by_id[@]})); then
    printf '%s\n' "${by_id[@]}"
    return
  fi
  for name in "$root"/sys/class/video4linux/video*; do
    node=${name##*/video}
    if is_camera "$node"; then echo "/dev/video$node"; fi
  done
}

find_camera() {
  local found
  mapfile -t found < <(cameras)
  if ((!${#found[@]})); then
    say 'no camera is plugged in yet; AI-Camera shows a card until /dev/video0 is there'
    return
  fi
  export CAMERA=${found[0]}
  ((${#found[@]} == 1)) || say "there are ${#found[@]} cameras; this one is taken, CAMERA= takes another:" "${found[@]}"
}

find_output() { # akvcam's cameras have two nodes, and the one to write to has a label of its own
  local prefix folder
  for prefix in 'To AI-Camera' AI-Camera; do
    for folder in "$root"/sys/class/video4linux/video*; do
      if [[ $(label "${folder##*/video}") == "$prefix"* ]]; then
        export OUTPUT=/dev/video${folder##*/video}
        return
      fi
    done
  done
  [[ -d $root/sys/module/v4l2loopback ]] \
    || die 'there is no virtual camera: the kernel module v4l2loopback is not loaded' 'sudo make install'
  die 'there is no virtual camera named AI-Camera' 'sudo make install, or OUTPUT=/dev/videoN for another one'
}

readable() { # FILE: by anybody who is shown its folder, whatever lies above that
  (($(stat -c '0%a' "$1") & 4 && $(stat -c '0%a' "$(dirname "$1")") & 1))
}

reach_picture() { # the container sees the folder MEDIA as /media
  local background=$1 kind file options
  [[ $background =~ ^(image|video):([^,]+)(.*)$ ]] || return 0
  kind=${BASH_REMATCH[1]} file=${BASH_REMATCH[2]/#\~\//$HOME/} options=${BASH_REMATCH[3]}
  [[ $file != /media/* || -e $file ]] || return 0
  file=$(realpath -qe "$file") || die "there is no file ${BASH_REMATCH[2]}" "BACKGROUND=$kind:PATH of a file on this computer"
  readable "$file" || die "the container may not read $file: it is for its owner only" \
    "mkdir -p media && install -m 644 '$file' media && make up BACKGROUND='$kind:media/${file##*/}$options'"
  MEDIA=$(dirname "$file") BACKGROUND=$kind:/media/$(basename "$file")$options
  export MEDIA BACKGROUND VCAM_BACKGROUND=$BACKGROUND
}

build() { # unless the image is of this revision already
  local image told
  REVISION=$(git describe --always --dirty --abbrev=40 2>/dev/null) || REVISION=unknown
  export REVISION
  if [[ ${BUILD:-auto} == auto ]]; then
    [[ -z $(setting IMAGE) ]] || return 0
    image=$(scripts/compose.sh config --images vcam 2>/dev/null | grep -m1 '^vcam:') || image=vcam:cpu
    told=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image" 2>/dev/null) || told=''
    [[ $told != "$REVISION" || $REVISION == *-dirty || $REVISION == unknown ]] || return 0
  fi
  [[ ${BUILD:-auto} != no ]] || return 0
  say 'building the image; the first time this takes some minutes'
  scripts/compose.sh build vcam || die 'the image could not be built' 'the lines above say why; without network: BUILD=no with an image that is here'
}

need_docker
[[ -n $(setting VCAM_INPUT CAMERA) ]] || find_camera
[[ -n $(setting VCAM_OUTPUT OUTPUT) ]] || find_output
reach_picture "$(setting BACKGROUND VCAM_BACKGROUND)"
# What was typed goes before what .env says by the long name.
if [[ -n ${CAMERA-} ]]; then export VCAM_INPUT=$CAMERA; fi
if [[ -n ${OUTPUT-} ]]; then export VCAM_OUTPUT=$OUTPUT; fi
if [[ -n ${BACKGROUND-} ]]; then export VCAM_BACKGROUND=$BACKGROUND; fi
build
read -ra services <<<"$(setting SERVICES)"
if ! scripts/compose.sh up --detach --no-build --wait --wait-timeout "$WAIT_S" "${services[@]}"; then
  scripts/compose.sh logs --no-log-prefix --tail 20 vcam >&2 || true
  die 'vcam did not come up' 'the lines above say why; make doctor looks for what stands in its way'
fi

state=$(scripts/compose.sh exec -T vcam python3 -m vcam.service.probe 2>/dev/null | sed -n 's/.*"state": *"\([a-z]*\)".*/\1/p') || state=unknown
output=$(setting OUTPUT VCAM_OUTPUT)
say "AI-Camera (${output}) shows $(setting CAMERA VCAM_INPUT || true)"
case $state in
  live | idle) ;;
  *) say 'for now it shows a card; the first start fetches the network: make logs' ;;
esac
cat <<END

  Choose "AI-Camera" as the camera of your application.

  Control     http://127.0.0.1:$(p=$(setting CONTROL_PORT); echo "${p:-9436}")
  Grafana     http://127.0.0.1:$(p=$(setting GRAFANA_PORT); echo "${p:-3000}")
  Prometheus  http://127.0.0.1:$(p=$(setting PROMETHEUS_PORT); echo "${p:-9090}")
  Metrics     http://127.0.0.1:$(p=$(setting METRICS_PORT); echo "${p:-9435}")/metrics

  make up BACKGROUND=green    another background (blur, image:beach.jpg, ...)
  make logs                   what it says
  make status                 how it fares
  make down                   end it
END
