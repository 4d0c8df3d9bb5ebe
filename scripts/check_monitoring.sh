#!/usr/bin/env bash
# Check the YAML files, Prometheus' settings and rules with their tests, and Alertmanager's settings.
# usage: scripts/check_monitoring.sh [--strict] [FOLDER]     FOLDER: a checkout, else this one
# A checker that this computer does not have is skipped and says how to get it; with --strict that is a failure.
# Programs can be named: YAMLLINT, PROMTOOL, AMTOOL.
set -euo pipefail
strict=no
[[ ${1-} != --strict ]] || { strict=yes; shift; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "${1:-$here}"

failed=no
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() { # NAME PACKAGE COMMAND...: output is shown only when it failed
  local name=$1 package=$2
  shift 2
  if ! command -v "$1" >/dev/null; then
    printf 'skipped   %s: there is no %s; sudo apt-get install %s\n' "$name" "$1" "$package"
    [[ $strict == no ]] || failed=yes
  elif "$@" >"$work/out" 2>&1; then
    printf 'ok        %s\n' "$name"
  else
    printf 'FAILED    %s\n' "$name"
    sed 's/^/    /' "$work/out"
    failed=yes
  fi
}

yamllint=${YAMLLINT:-$here/.venv/bin/yamllint} promtool=${PROMTOOL:-promtool} amtool=${AMTOOL:-amtool}
mapfile -d '' files < <(find . \( -name .git -o -name .venv -o -name build -o -name node_modules \) -prune \
  -o \( -name '*.yml' -o -name '*.yaml' -o -name '*.yml.txt' \) -print0 | sort -z)
check "${#files[@]} YAML files" yamllint "$yamllint" --strict "${files[@]}"

# As if the example of a fleet were in use.
cp -r monitoring/prometheus "$work/prometheus"
cp "$work/prometheus/fleet/example.yml.txt" "$work/prometheus/fleet/example.yml"
check "Prometheus' settings" prometheus "$promtool" check config --lint-fatal "$work/prometheus/prometheus.yml"
check "Prometheus' rules" prometheus "$promtool" test rules tests/monitoring/rules.test.yml
check "Alertmanager's settings" prometheus-alertmanager "$amtool" check-config monitoring/alertmanager/alertmanager.yml
[[ $failed == no ]]
