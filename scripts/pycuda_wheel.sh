#!/usr/bin/env bash
# Build pycuda's wheel, on a machine that needs neither a GPU nor its driver. PyPI has the source only.
# Usage: scripts/pycuda_wheel.sh FOLDER       The wheel is left there; one that is there already is kept.
# PYTHON names the interpreter that it is for; where CUDA's headers come from: scripts/cuda_headers.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:?usage: scripts/pycuda_wheel.sh FOLDER}")
[[ -n ${PYTHON:-} || ! -x .venv/bin/python ]] || PYTHON=$PWD/.venv/bin/python
export PYTHON=${PYTHON:-python3} PIP_DISABLE_PIP_VERSION_CHECK=1
version=$(sed -n 's/^pycuda==//p' constraints.txt)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf 'pycuda_wheel: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# A driver library with every function of cuda.h and nothing in them: to link against, and to import with.
make_driver() {
  mkdir "$work/driver"
  echo '#include <cuda.h>
#include <cudaProfiler.h>' | "${CC:-cc}" -E -I"$headers" - | grep -oE '\bcu[A-Z][A-Za-z0-9_]* *\(' | tr -d ' (' | sort -u \
    | grep -vx cuGetErrorString | sed 's/.*/int &(void) { return 34; }/' >"$work/driver.c" # CUDA_ERROR_STUB_LIBRARY
  echo 'int cuGetErrorString(int code, const char **words) { *words = "stub library"; return 0; }' >>"$work/driver.c"
  "${CC:-cc}" -shared -fPIC -w -Wl,-soname,libcuda.so.1 -o "$work/driver/libcuda.so.1" "$work/driver.c"
  ln -s libcuda.so.1 "$work/driver/libcuda.so"
}

# What was built works with what it needs (numpy, which it does not say), and finds the driver by itself.
check() {
  "$PYTHON" -m pip install --quiet --constraint constraints.txt --target "$work/installed" numpy "$1"
  LD_LIBRARY_PATH=$work/driver PYTHONPATH=$work/installed "$PYTHON" - <<'END'
import pycuda.driver as cuda

try:
    cuda.init()
except cuda.Error as error:
    assert str(error) == "cuInit failed: stub library", error
else:
    raise AssertionError("the empty driver did not refuse")
END
}

tag=$("$PYTHON" -c 'import sys; print(f"cp{sys.version_info[0]}{sys.version_info[1]}")')
if compgen -G "$out/pycuda-$version-$tag-*.whl" >/dev/null; then
  say "pycuda $version for $tag is in $out already"
  exit
fi
command -v "${CXX:-c++}" >/dev/null || die "needs a C++ compiler; remedy: sudo apt-get install g++"
headers=$(scripts/cuda_headers.sh "$work/cuda")
say "headers from $headers; this takes a minute or two"
make_driver
"$PYTHON" -m pip download --quiet --no-deps --no-binary pycuda --dest "$work" "pycuda==$version"
"$PYTHON" -m tarfile -e "$work/pycuda-$version.tar.gz" "$work"
cat >"$work/pycuda-$version/siteconf.py" <<END
CUDA_INC_DIR = ["$headers"]
CUDADRV_LIB_DIR = ["$work/driver"]
CUDA_ENABLE_CURAND = False
END
"$PYTHON" -m pip wheel --quiet --no-deps --wheel-dir "$work/built" "$work/pycuda-$version" || die "pycuda did not build"
check "$work"/built/*.whl || die "pycuda was built, but does not work"
mkdir -p "$out"
cp "$work"/built/*.whl "$out"
say "built $(basename "$work"/built/*.whl)"
