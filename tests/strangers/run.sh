#!/usr/bin/env bash
# Strangers: a gateway and a softphone in another language, with code generated from proto/ alone, against the real
# binary. Expects TOOLS, the cache in which tests/tools/need.sh put Python's packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
# As the stage `build` does it: with other features everything would be built twice.
cargo build --workspace --all-targets --locked
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
python="${TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/hotline/tools}/python/bin/python"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -m grpc_tools.protoc -I proto --python_out="$scratch" --grpc_python_out="$scratch" proto/hotline/v1/*.proto
export HOTLINE="$target/debug/hotline" PYTHONPATH="$scratch" PYTHONDONTWRITEBYTECODE=1
"$python" tests/strangers/main.py
