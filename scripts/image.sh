#!/usr/bin/env bash
# Build the images of a release, both targets, and push nothing. Usage: scripts/image.sh
# REPOSITORY=vcam names them; they are tagged :cpu, :gpu and :VERSION-cpu, :VERSION-gpu, and labelled with the revision.
# BASE_IMAGE, TENSORRT and NVIDIA_INDEX are the Dockerfile's arguments.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=${REPOSITORY:-vcam}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
revision=$(git describe --always --dirty --abbrev=40 2>/dev/null) || revision=unknown
# The time of the commit, not of the build: the same sources give the same image.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=0
export SOURCE_DATE_EPOCH

[[ $revision != *-dirty ]] || printf 'image: the working tree has changes that are in no commit; labelled %s\n' "$revision" >&2
for target in cpu gpu; do
  arguments=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH")
  for name in BASE_IMAGE TENSORRT NVIDIA_INDEX; do
    [[ -z ${!name-} ]] || arguments+=(--build-arg "$name=${!name}")
  done
  docker build --target "$target" "${arguments[@]}" --tag "$repository:$target" --tag "$repository:$version-$target" .
done
docker image ls --filter "label=org.opencontainers.image.revision=$revision" --format '{{.Repository}}:{{.Tag}}  {{.Size}}'
