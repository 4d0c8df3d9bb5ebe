#!/usr/bin/env bash
# Print the folder that has CUDA's headers (cuda.h, cudaProfiler.h): of CUDA_HOME, else beside nvcc, else from PyPI.
# Usage: scripts/cuda_headers.sh FOLDER       FOLDER is where a download goes.
set -euo pipefail
folder=${1:?usage: scripts/cuda_headers.sh FOLDER}
python=${PYTHON:-python3}

# nvcc may be a link or a script that starts the real one; it knows best where that is.
toolkit_of_nvcc() {
  local empty
  command -v nvcc >/dev/null || return 0
  empty=$(mktemp --suffix .cu)
  nvcc --dryrun "$empty" 2>&1 | sed -n 's/^#\$ TOP=//p'
  rm -f "$empty"
}

toolkit=$(toolkit_of_nvcc)
for include in "${CUDA_HOME:+$CUDA_HOME/include}" "${toolkit:+$toolkit/include}" "$folder/nvidia/cu13/include"; do
  if [[ -n $include && -f $include/cuda.h && -f $include/cudaProfiler.h ]]; then
    realpath "$include"
    exit
  fi
done
# 13.0, the oldest that vcam runs on: what is built with its headers asks for no function of a newer driver.
"$python" -m pip --disable-pip-version-check install --quiet --no-deps --target "$folder" \
  'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-profiler-api==13.0.*' >&2
realpath "$folder/nvidia/cu13/include"
