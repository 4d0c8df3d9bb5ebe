#!/usr/bin/env bash
# Everything that only a GPU can show, in one run: tests, sanitizers, soak, figures, accuracy.
# Usage: scripts/gpu_check.sh [--quick] [--model FILE] [--out DIR]; --help says more.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

usage() {
  cat <<'TEXT'
Usage: scripts/gpu_check.sh [--quick] [--model FILE] [--out DIR]

Runs on a machine with an NVIDIA GPU (driver 580 or newer), from a checkout of vcam:
  1 the machine: GPU, driver, packages          5 sanitizers: memcheck, racecheck (where installed)
  2 the kernels, built where they are missing   6 figures: bench gpu, with accuracy and decoders
  3 tests that need a GPU, kernels against CPU  7 soak: 5,000 frames, memory and descriptors
  4 a whole run of vcam on the GPU              8 what an RTX 2060 Super would need, calculated
A step that fails is shown, and the rest goes on. At the end: a table, and everything in DIR/gpu_check.json.

  --quick       fewer frames, no sanitizers: some minutes instead of half an hour
  --model FILE  the network (rvm_mobilenetv3_fp32.onnx); without it vcam's own is taken, and fetched if it is not here
  --out DIR     where to write; default out/gpu-check

Environment: VENV (default .venv) or PYTHON, an interpreter with vcam[gpu,cpu,dev] and TensorRT or TensorRT-RTX.
Exit: 0 all is well; 1 a step failed or a goal was missed; 2 wrong usage; 6 there is no GPU.
TEXT
}

quick='' model='' out=out/gpu-check
while (($#)); do
  case $1 in
    --quick) quick=1 ;;
    --model | --out)
      [[ -n ${2:-} ]] || { echo "gpu_check: $1 needs a value" >&2; exit 2; }
      if [[ $1 == --model ]]; then model=$2; else out=$2; fi
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) echo "gpu_check: unknown option $1; --help lists them" >&2; exit 2 ;;
  esac
  shift
done
venv=${VENV:-.venv}
python=${PYTHON:-$venv/bin/python}
[[ -x $(command -v "$python") ]] || { echo "gpu_check: no interpreter at $python; set VENV or PYTHON, or run make setup" >&2; exit 2; }
[[ -z $model || -f $model ]] || { echo "gpu_check: there is no file $model" >&2; exit 2; }

mkdir -p "$out" || exit 1
rm -f "$out"/steps.tsv "$out"/*.log "$out"/*.json "$out"/*.xml
log() { printf '\n== %s\n' "$*"; }

# A step: its name, then its command. What it prints is shown and kept; that it failed is noted, and the rest goes on.
step() {
  local name=$1 began=$SECONDS code
  shift
  log "$name: ${*%%$'\n'*}"
  "$@" 2>&1 | tee "$out/$name.log"
  code=${PIPESTATUS[0]}
  printf '%s\t%s\t%s\n' "$name" "$code" "$((SECONDS - began))" >>"$out/steps.tsv"
  ((code == 0)) || printf 'FAILED (exit %s): %s; see %s\n' "$code" "$name" "$out/$name.log"
  return "$code"
}

# A step that cannot be taken here: why.
skip() {
  log "$1: not run, $2"
  printf '%s\tskipped: %s\t0\n' "$1" "$2" >>"$out/steps.tsv"
}

if ! step gpu "$python" -c '
import sys
from vcam.cuda.probe import find_gpu
answer = find_gpu()
print(answer.facts or f"{answer.problem}\n{answer.hint}")
sys.exit(0 if answer.facts else 6)'; then
  echo 'gpu_check: there is no GPU to check here. Nothing was measured.' >&2
  exit 6
fi

if command -v nvidia-smi >/dev/null; then step nvidia-smi nvidia-smi; else skip nvidia-smi 'it is not installed'; fi
step packages "$python" -m pip list --format=freeze
step doctor "$python" -m vcam doctor

if "$python" -c 'from vcam.cuda.kernels import read_fatbin; read_fatbin()' 2>/dev/null; then
  skip kernels 'they are built'
else
  step kernels "$python" scripts/build_kernels.py --fetch
fi

bench=("$python" -m vcam bench)
[[ -z $model ]] || { bench+=(--model "$model"); export VCAM_TEST_MODEL=$model; }
export VCAM_REQUIRE=gpu
tests=(-m pytest -q -p no:cacheprovider -m gpu)
step tests "$python" "${tests[@]}" --timeout 900 --junitxml "$out/tests.xml"

clip=()
if step portrait "$python" scripts/portrait_clip.py "$out/portrait.mkv" 10; then clip=(--clip "$out/portrait.mkv"); fi

run=("$python" -m vcam run -i test:1920x1080@30 -o null: --background green --quality high --http-port 0)
[[ -z $model ]] || run+=(--model "$model")
frames=900
[[ -z $quick ]] || frames=150
engines=0
for engine in tensorrt tensorrt-rtx; do
  if "$python" -c "import ${engine//-/_}" 2>/dev/null; then
    engines=1
    step "run-$engine" "${run[@]}" --engine "$engine" --benchmark --frames "$frames"
  else
    skip "run-$engine" "the package ${engine//-/_} is not installed"
  fi
done
((engines)) || log 'neither TensorRT nor TensorRT-RTX is installed: no figure of the whole GPU path can be had'

if [[ -n $quick ]]; then
  skip memcheck '--quick'
  skip racecheck '--quick'
elif command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    step "$tool" compute-sanitizer --tool "$tool" --error-exitcode 9 --target-processes all \
      "$python" "${tests[@]}" --timeout 0 tests/cuda
  done
else
  skip memcheck 'compute-sanitizer is not on PATH (it comes with the CUDA toolkit)'
  skip racecheck 'compute-sanitizer is not on PATH (it comes with the CUDA toolkit)'
fi

step bench "${bench[@]}" gpu --json "$out" "${clip[@]}" ${quick:+--frames 60}
step soak "${bench[@]}" gpu-soak --json "$out" ${quick:+--frames 500}
if [[ -n $model ]]; then
  step calculation "$python" scripts/count_work.py "$model" "$out/calculation.json"
else
  skip calculation '--model was not given'
fi

log 'summary'
"$python" scripts/gpu_summary.py "$out"
