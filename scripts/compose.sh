#!/usr/bin/env bash
# docker compose for this computer: with its GPU, where Docker can hand that to a container, and with the numbers of
# the groups that own its video and GPU nodes. Usage: scripts/compose.sh ARGUMENT...
# GPU=yes or no decides instead of looking; COMPOSE_FILE, VIDEO_GID and RENDER_GID are kept where they are set. ROOT: of
# another file system, for tests.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/dotenv.sh
source scripts/dotenv.sh
root=${ROOT-}
readonly OWN_GID=10001

say() { printf 'vcam: %s\n' "$*" >&2; }

group_of() { # GROUP NODE...: the number of the group that owns the first node there is, else that of the named group
  local group=$1 node
  shift
  for node in "$@"; do
    if [[ -e $node && $(stat -Lc %g "$node") != 0 ]]; then
      stat -Lc %g "$node"
      return
    fi
  done
  sed -n "s/^$group:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/group" | head -1
}

toolkit() { # whether Docker can hand an NVIDIA GPU to a container
  docker info --format '{{json .Runtimes}}' 2>/dev/null | grep -q '"nvidia"' \
    || compgen -G "$root/etc/cdi/nvidia*" >/dev/null || compgen -G "$root/var/run/cdi/nvidia*" >/dev/null
}

with_gpu() {
  case ${GPU:-auto} in
    yes | no) [[ $GPU == yes ]] && return ;;
    auto)
      [[ -e $root/proc/driver/nvidia/version ]] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; } || return
      toolkit && return
      say "there is an NVIDIA GPU, but Docker cannot hand it to a container; the processor does the work"
      say "remedy: NVIDIA's container toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker"
      ;;
    *) say "GPU is yes, no or auto, not $GPU" && exit 2 ;;
  esac
  return 1
}

VIDEO_GID=$(setting VIDEO_GID) RENDER_GID=$(setting RENDER_GID)
VIDEO_GID=${VIDEO_GID:-$(group_of video "$root"/dev/video*)} RENDER_GID=${RENDER_GID:-$(group_of render "$root"/dev/dri/renderD*)}
VIDEO_GID=${VIDEO_GID:-44}
# compose takes no group twice; without one of its own for GPUs, the container's own group adds nothing
[[ -n $RENDER_GID && $RENDER_GID != "$VIDEO_GID" ]] || RENDER_GID=$OWN_GID
export VIDEO_GID RENDER_GID
if [[ -z $(setting COMPOSE_FILE) ]]; then
  COMPOSE_FILE=compose.yaml
  if with_gpu; then COMPOSE_FILE+=:compose.gpu.yaml; fi
  [[ ! -e compose.override.yaml ]] || COMPOSE_FILE+=:compose.override.yaml
  export COMPOSE_FILE
fi
exec docker compose "$@"
