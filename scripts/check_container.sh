#!/usr/bin/env bash
# Check the Dockerfile and the compose files without an engine. Usage: scripts/check_container.sh [FOLDER]
# FOLDER: a checkout, else this one. Checkers are those of .venv; HADOLINT and JSONSCHEMA name others.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
cd "${1:-$here}"
"${HADOLINT:-$here/.venv/bin/hadolint}" Dockerfile
"${JSONSCHEMA:-$here/.venv/bin/check-jsonschema}" --builtin-schema vendor.compose-spec compose.yaml compose.gpu.yaml
