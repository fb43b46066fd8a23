#!/usr/bin/env bash
# A Postgres server for tests, on loopback, with nothing in it, which writes to the disk as a real one does.
#
#   postgres.sh run CMD…     starts one, runs CMD with HOTLINE_TEST_POSTGRES set to its address, ends it; those that CMD
#                            started under HOTLINE_TEST_POSTGRES_DIR end with it, also if CMD was killed
#   postgres.sh start DIR    makes one in DIR if there is none, starts it and says its address
#   postgres.sh stop DIR     ends it in good order; with `kill` instead of `stop`, at once
#   postgres.sh follow DIR PRIMARY
#                            makes a copy in DIR of the one in PRIMARY, which follows it, starts it and says its address;
#                            from here on the one in PRIMARY acknowledges nothing that the copy does not have
#   postgres.sh promote DIR  it follows nobody any more and takes writes
#
# Postgres does not run as root: then it runs as the user postgres, or nobody.
set -uo pipefail

fail() {
    echo "postgres.sh: $*" >&2
    exit 1
}

# Where Debian keeps the server's programs, the latest version first; elsewhere they are in the PATH.
binaries() {
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -V -r | head -n 1)
    [ -n "$found" ] && [ -x "$found/initdb" ] && echo "$found" && return
    command -v initdb >/dev/null && dirname "$(command -v initdb)" && return
    fail "there are no programs of a Postgres server here; sudo apt-get install postgresql"
}

# The command as the user that the server runs as.
as_server() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
        return
    fi
    local user=nobody
    id postgres >/dev/null 2>&1 && user=postgres
    setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- env -u HOME "$@"
}

# make_room DIR COMMAND…: a directory of the server's user with the password that COMMAND says.
make_room() {
    local dir=$1 user=nobody
    mkdir -p "$dir" || fail "cannot make $dir"
    "${@:2}" >"$dir/password" || fail "there is no password"
    if [ "$(id -u)" = 0 ]; then
        id postgres >/dev/null 2>&1 && user=postgres
        chown -R "$user" "$dir" || fail "cannot give $dir to $user"
    fi
    chmod 700 "$dir"
}

new_password() {
    head -c 18 /dev/urandom | base64 | tr '+/' 'xy'
}

make() {
    local dir=$1
    make_room "$dir" new_password
    (cd "$dir" && as_server "$bin/initdb" -D "$dir/data" -U hotline --pwfile "$dir/password" --encoding UTF8 \
        --locale C.UTF-8 --auth-local trust --auth-host scram-sha-256 >"$dir/log" 2>&1) ||
        { cat "$dir/log" >&2; fail "initdb failed in $dir"; }
    cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
fsync = on
shared_buffers = 64MB
CONF
}

# A server that was killed stands there until somebody asks how it ended, and its successor would take it for one that
# runs. Its place is free when nobody is at work there any more.
forget_dead() {
    local dir=$1 pid try
    pid=$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null) || return 0
    grep -qs '^State:[[:space:]]*Z' "/proc/$pid/status" || return 0
    for try in {1..600}; do
        find /proc/[0-9]*/cwd -maxdepth 0 -lname "$dir/data" 2>/dev/null | grep -q . || break
        sleep 0.1
    done
    rm -f "$dir/data/postmaster.pid"
}

# A port that nobody has is only known when the server has it; the one of an earlier start is tried first.
start() {
    local dir=$1 try port
    [ -d "$dir/data" ] || make "$dir"
    forget_dead "$dir"
    for try in 1 2 3 4 5 6 7 8; do
        port=$(cat "$dir/port" 2>/dev/null) || port=$((20000 + RANDOM % 12000))
        (cd "$dir" && as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -o "-p $port" -w -t 60 start) >/dev/null 2>&1 &&
            { echo "$port" >"$dir/port"; break; }
        [ -e "$dir/port" ] && { tail -n 20 "$dir/server.log" >&2; fail "the server in $dir does not start again"; }
        [ "$try" = 8 ] && { tail -n 20 "$dir/server.log" >&2; fail "the server in $dir does not start"; }
    done
    echo "postgres://hotline:$(cat "$dir/password")@127.0.0.1:$port/postgres"
}

follow() {
    local dir=$1 primary=$2 of address
    of=postgres://hotline:$(cat "$primary/password")@127.0.0.1:$(cat "$primary/port")/postgres
    make_room "$dir" cat "$primary/password"
    (cd "$dir" && as_server "$bin/pg_basebackup" -D "$dir/data" -d "$of" -c fast -X stream -R >"$dir/log" 2>&1) ||
        { cat "$dir/log" >&2; fail "the server in $primary cannot be copied"; }
    sed -i '/^synchronous_standby_names/d' "$dir/data/postgresql.auto.conf"
    address=$(start "$dir") || exit 1
    until_told "$of" 'SELECT state FROM pg_stat_replication' streaming
    ask "$of" "ALTER SYSTEM SET synchronous_standby_names = '*'" && ask "$of" 'SELECT pg_reload_conf()' >/dev/null ||
        fail "the server in $primary cannot be told to wait for its copy"
    until_told "$of" 'SELECT sync_state FROM pg_stat_replication' sync
    echo "$address"
}

ask() {
    "$bin/psql" --no-psqlrc --quiet --no-align --tuples-only --command "$2" "$1"
}

# until_told ADDRESS QUESTION ANSWER
until_told() {
    local try
    for try in {1..600}; do
        [ "$(ask "$1" "$2")" = "$3" ] && return
        sleep 0.1
    done
    fail "nobody said $3 to: $2"
}

promote() {
    (cd "$1" && as_server "$bin/pg_ctl" -D "$1/data" -w -t 60 promote) >/dev/null 2>&1
}

# pg_ctl ends the process whose id the server wrote down.
stop() {
    (cd "$1" && as_server "$bin/pg_ctl" -D "$1/data" -m "$2" -w -t 60 stop) >/dev/null 2>&1
}

run() {
    local dir child='' code
    dir=$(mktemp -d "${TMPDIR:-/tmp}/hotline-postgres.XXXXXX") || fail "cannot make a directory"
    trap '[ -n "$child" ] && kill "$child" 2>/dev/null; stop_all "$dir"; exit 130' INT TERM HUP
    HOTLINE_TEST_POSTGRES=$(start "$dir") || { stop_all "$dir"; exit 1; }
    HOTLINE_TEST_POSTGRES_DIR=$dir/others
    mkdir "$HOTLINE_TEST_POSTGRES_DIR" || { stop_all "$dir"; exit 1; }
    export HOTLINE_TEST_POSTGRES HOTLINE_TEST_POSTGRES_DIR
    "$@" &
    child=$!
    wait "$child"
    code=$?
    trap - INT TERM HUP
    stop_all "$dir"
    exit "$code"
}

# The server of a run, those that its command left behind, and all their files.
stop_all() {
    local running
    while IFS= read -r running; do
        stop "${running%/data/postmaster.pid}" immediate
    done < <(find "$1" -name postmaster.pid 2>/dev/null)
    rm -rf "$1"
}

bin=$(binaries) || exit 1
case "${1:-} ${2:+more}" in
'run more') run "${@:2}" ;;
'start more') start "$2" ;;
'stop more') stop "$2" fast ;;
'kill more') stop "$2" immediate ;;
'follow more') follow "$2" "${3:?the directory of the primary}" ;;
'promote more') promote "$2" ;;
*) sed -n '2,13s/^# \?//p' "$0" >&2 && exit 2 ;;
esac
