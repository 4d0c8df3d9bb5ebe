# Settings of the appliance as compose sees them. Sourced by the scripts around compose, in the checkout's folder.
# shellcheck shell=bash

setting() { # NAME...: the first that is set, in the environment or in .env
  local name line
  for name in "$@"; do
    if [[ -n ${!name-} ]]; then
      printf '%s' "${!name}"
      return
    fi
  done
  for name in "$@"; do
    line=$(grep -s "^$name=." .env | tail -1) || continue
    line=${line#*=} line=${line#[\"\']}
    printf '%s' "${line%[\"\']}"
    return
  done
}
