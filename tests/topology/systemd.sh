#!/usr/bin/env bash
# config/hotline.service under a systemd of its own, as docs/deploying.md says: it begins and says when it serves, is begun
# again when it was killed and when it stands still, is not begun again when its configuration makes no sense, and ends in good
# order. That systemd is the first process of namespaces made for it, in which this machine's files can be read only: whatever
# is written there is in memory and gone with it. Expects HOTLINE_TEST_POSTGRES and root.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${HOTLINE_TEST_POSTGRES:?run it by tests/tools/postgres.sh run}"
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
manager=/usr/lib/systemd/systemd
[ -x "$manager" ] || { echo "no $manager here: sudo apt-get install systemd"; exit 1; }

scratch=$(mktemp -d)
database=hotline_systemd_$$
psql() { command psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }
psql --command "CREATE DATABASE $database" "$HOTLINE_TEST_POSTGRES"

first=
end() {
    # With its first process every other of the namespace ends.
    [ -z "$first" ] || kill -9 "$first" 2>/dev/null || true
    rm -rf "$scratch"
    psql --command "DROP DATABASE $database WITH (FORCE)" "$HOTLINE_TEST_POSTGRES"
}
trap end EXIT
trap 'exit 130' INT TERM

# What docs/deploying.md has an administrator install.
cp "$target/debug/hotline" config/hotline.service "$scratch/"
sed 's/^listen = .*/listen = ["127.0.0.1:0"]/' config/server.toml >"$scratch/server.toml"
(umask 077 && echo "${HOTLINE_TEST_POSTGRES%/*}/$database" >"$scratch/database" &&
    od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$scratch/seal.key")
cat >"$scratch/begin" <<'BEGIN'
set -euo pipefail
mount --make-rprivate /
# Before anything else: at its start a systemd empties directories of the machine that it takes for its own.
while read -r _ place _; do
    case "$place" in
    /proc* | /sys* | /dev*) ;;
    *) mount -o remount,bind,ro "$(printf %b "$place")" ;;
    esac
done <<<"$(cat /proc/self/mounts)"
mount -t proc proc /proc
umount --recursive /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/given
mount --bind "$1" /run/given
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
# Nothing that a whole machine would begin with: not even what cleans its directories and mounts its disks.
for place in /tmp /var /root /usr/local/bin /etc/systemd/system /usr/lib/systemd/system/*.wants; do
    mount -t tmpfs tmpfs "$place"
done
mkdir /var/lib /var/tmp /var/log
if touch /usr/written 2>/dev/null; then echo "this machine's files can be written"; exit 1; fi
cd /
install -m 0755 /run/given/hotline /usr/local/bin/
install -d -m 0755 /etc/hotline
install -m 0644 /run/given/server.toml /etc/hotline/
install -m 0600 /run/given/database /run/given/seal.key /etc/hotline/
install -m 0644 /run/given/hotline.service /etc/systemd/system/
umount /run/given
printf '[Unit]\nDescription=Nothing besides\nDefaultDependencies=no\n' >/etc/systemd/system/nothing.target
exec env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin container=other \
    "$2" --system --unit=nothing.target --log-target=console --show-status=no
BEGIN
unshare --mount --pid --fork --kill-child --cgroup --ipc --uts \
    bash "$scratch/begin" "$scratch" "$manager" >"$scratch/log" 2>&1 &
outside=$!

fail() {
    echo "systemd.sh: $*"
    tail -n 60 "$scratch/log"
    exit 1
}

# until_so WHAT COMMAND…: tried for at most two minutes.
until_so() {
    local what=$1 deadline=$((SECONDS + 120))
    shift
    until "$@" >"$scratch/said" 2>&1; do
        kill -0 "$outside" 2>/dev/null || fail "it ended before $what"
        [ $SECONDS -lt $deadline ] || { cat "$scratch/said"; fail "never came: $what"; }
        sleep 0.2
    done
}

in_it() { nsenter --target "$first" --mount --pid --ipc --uts -- "$@"; }
shown() { in_it systemctl show --property "$1" --value hotline; }
is() { [ "$(shown "$1")" = "$2" ]; }
has_begun() { first=$(pgrep --parent "$outside") && [ -S "/proc/$first/root/run/systemd/private" ]; }
is_another() { local now; now=$(shown MainPID) && [ "$now" != 0 ] && [ "$now" != "$1" ] && is ActiveState active; }
is_well() { in_it hotline health --data /var/lib/hotline; }
# Its process as everybody outside numbers it.
process() { pgrep --ns "$first" --nslist pid --exact hotline | head -n 1; }

until_so "systemd has begun" has_begun
in_it hotline migrate --postgres /etc/hotline/database
# Answers when the server said that it serves, and fails when it did not.
in_it systemctl start hotline || fail "it does not start"
is_well || fail "it serves, and health says otherwise"
echo "started: $(shown StatusText)"

status=$(cat "/proc/$(process)/status")
for line in 'NoNewPrivs:[[:space:]]1' 'CapBnd:[[:space:]]0*$' 'CapEff:[[:space:]]0*$' 'Seccomp:[[:space:]]2'; do
    grep -q "^$line" <<<"$status" || fail "the process has not $line: $status"
done
! grep -q '^Uid:[[:space:]]0' <<<"$status" || fail "it runs as root"
echo "hardened: no capability, a filter of system calls, a user of its own"

before=$(shown MainPID)
kill -9 "$(process)"
until_so "it is begun again after a kill" is_another "$before"
until_so "it is well after a kill" is_well
is NRestarts 1 || fail "begun again $(shown NRestarts) times instead of once"
echo "killed: begun again"

before=$(shown MainPID)
kill -STOP "$(process)"
until_so "it is begun again after it stood still" is_another "$before"
until_so "it is well after it stood still" is_well
grep -q 'hotline.service: Watchdog timeout' "$scratch/log" || fail "it was not the watchdog that ended it"
echo "stood still: ended by the watchdog, begun again"

in_it systemctl stop hotline
is Result success && is ExecMainStatus 0 || fail "ended with $(shown Result), $(shown ExecMainStatus)"
echo "stopped: in good order"

echo 'listen = 7430' >"/proc/$first/root/etc/hotline/server.toml"
! in_it systemctl start hotline >"$scratch/said" 2>&1 || fail "it starts with a configuration that makes no sense"
until_so "it is given up" is ActiveState failed
is ExecMainStatus 2 || fail "it ended with $(shown ExecMainStatus)"
echo "misconfigured: not begun again"
