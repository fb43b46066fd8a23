#!/usr/bin/env bash
# The wire is a promise: nothing that a client may rely on is changed or taken away. Compares proto/ with the committed
# image of what was promised before.
#
#   bash tests/proto/guard.sh            nothing was broken, and the image holds everything there is
#   bash tests/proto/guard.sh --promise  write what was added into the image; refused if anything was broken
#
# Expects TOOLS, the cache in which tests/tools/need.sh put buf.
set -euo pipefail
cd "$(dirname "$0")/../.."
buf="${TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/hotline/tools}/bin/buf"
promised="$PWD/tests/proto/promised.binpb"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

breaking() { (cd "$1" && "$buf" breaking --against "$promised"); }

# as_it_is FILE: what proto/ holds, without comments.
as_it_is() { (cd proto && "$buf" build --exclude-source-info -o "$1"); }

if ! breaking proto; then
    echo "the wire would break for clients that exist (above)"
    echo "to mend it: keep what is there; add beside it; mark what is over as deprecated"
    exit 1
fi
if [ "${1:-}" = --promise ]; then
    as_it_is "$promised"
    exit
fi

# A guard that sees nothing guards nothing: each of these must be seen.
seen() {
    rm -rf "$scratch/proto" && cp -r proto "$scratch/proto"
    sed -i "$2" "$scratch/proto/hotline/v1/$1"
    if cmp -s "proto/hotline/v1/$1" "$scratch/proto/hotline/v1/$1"; then
        echo "the guard's own test changes nothing in $1: $2" && exit 1
    fi
    if breaking "$scratch/proto" >/dev/null 2>&1; then
        echo "the guard did not see this in $1: $2" && exit 1
    fi
}
seen operator.proto '/rpc Accept(/d'
seen gateway.proto '/string line_id = 2;/d'
seen types.proto 's/CALL_CLASS_BACKGROUND = 3;/CALL_CLASS_BACKGROUND = 4;/'
seen gateway.proto 's/bytes number = 3;/string number = 3;/'

as_it_is "$scratch/now.binpb"
if ! cmp -s "$scratch/now.binpb" "$promised"; then
    echo "the wire has grown, and what was added is not promised yet"
    echo "to mend it: bash tests/proto/guard.sh --promise, and commit tests/proto/promised.binpb"
    exit 1
fi
echo "nothing is broken, and everything is promised"
