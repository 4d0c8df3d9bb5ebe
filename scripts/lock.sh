#!/usr/bin/env bash
# Write constraints.txt: one exact version of every package, for all supported Python versions.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install --quiet uv
.venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
  pyproject.toml --output-file constraints.txt
