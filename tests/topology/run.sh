#!/usr/bin/env bash
# docker-compose.yml, read by the compose tool and played as plain processes. Expects what tests/tools/need.sh calls compose,
# redis and postgresql.
set -euo pipefail
cd "$(dirname "$0")/../.."
# As the stage `build` does it: with other features everything would be built twice.
cargo build --workspace --all-targets --locked
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
python=python3
"$python" -c 'import yaml' 2>/dev/null || python=/usr/bin/python3
PYTHONDONTWRITEBYTECODE=1 "$python" tests/topology/main.py "$target/debug"
