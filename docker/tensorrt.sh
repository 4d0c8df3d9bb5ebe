#!/usr/bin/env bash
# Print what pip must install for one TensorRT. Usage: tensorrt.sh rtx|cu13|none PYTHON
# rtx is on PyPI. cu13 has its libraries on NVIDIA's own index only: name that as the build argument NVIDIA_INDEX.
set -euo pipefail
kind=${1:?usage: tensorrt.sh rtx|cu13|none PYTHON} python=${2:?usage: tensorrt.sh rtx|cu13|none PYTHON}
readonly CU13=11.4.0.106

die() { printf 'tensorrt.sh: %s\n' "$*" >&2; exit 1; }

version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
case $kind in
rtx)
  [[ $version == 3.11 || $version == 3.12 ]] || die "TensorRT-RTX is made for Python 3.11 and 3.12, this base has $version:" \
    'build with another BASE_IMAGE, or with TENSORRT=cu13'
  sed -n 's/^tensorrt-rtx==\([^ ]*\).*/tensorrt-rtx==\1/p' constraints.txt
  ;;
cu13)
  [[ -n ${NVIDIA_INDEX-} ]] || die 'tensorrt-cu13 is on NVIDIA'"'"'s own package index:' \
    'add --build-arg NVIDIA_INDEX=https://... as its documentation says'
  printf '%s\n' "--extra-index-url $NVIDIA_INDEX" "tensorrt-cu13==$CU13"
  ;;
none) ;;
*) die "TENSORRT is rtx, cu13 or none, not $kind" ;;
esac
