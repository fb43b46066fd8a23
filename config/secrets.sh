#!/bin/sh
# Makes what only the services of docker-compose.yml may know: one file each, in a directory that only you may enter.
#
#   config/secrets.sh [DIR]     `secrets` beside docker-compose.yml, if not given; git ignores it
#
# What is there already stays. Losing `seal-key` is losing every caller's number: keep a copy elsewhere.
set -eu
umask 077
dir=${1:-$(dirname "$0")/../secrets}
mkdir -p "$dir"
chmod 700 "$dir"
cd "$dir"

random() {
    head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# Each container reads its own as a user of its own, whom this machine does not know: the directory is what keeps others out.
make() {
    [ ! -e "$1" ] || return 0
    cat >"$1.unfinished"
    chmod 444 "$1.unfinished"
    mv "$1.unfinished" "$1"
}

random 24 | make database-password
printf 'postgres://hotline:%s@postgres:5432/hotline\n' "$(cat database-password)" | make database
random 24 | make redis-password
random 32 | make seal-key
