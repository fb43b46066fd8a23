#!/usr/bin/env bash
# config/hotline.service under a systemd of its own, as docs/deploying.md says: it begins and says when it serves, is begun
# again when it was killed and when it stands still, ends in good order, and is not begun again when its configuration makes no
# sense. That systemd is the first process of namespaces made for it, in which this machine's files can be read only: whatever
# is written there is in memory and gone with it. Expects HOTLINE_TEST_POSTGRES, what tests/tools/need.sh calls boot, and what
# the stage `build` builds.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${HOTLINE_TEST_POSTGRES:?run it by tests/tools/postgres.sh run}"
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
manager=/usr/lib/systemd/systemd
[ -x "$manager" ] || { echo "no $manager here: sudo apt-get install systemd"; exit 1; }

scratch=$(mktemp -d)
mkdir "$scratch/groups"
group=hotline-systemd-$$
database=hotline_systemd_$$
psql() { command psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }
# Mounts the kernel's groups of processes for whoever runs it, and for nobody else.
groups='mount -t cgroup2 cgroup2 "$0"; cd "$0"'

outside='' first=
end() {
    # With its first process every other of the namespace ends, and only then nobody is left in a group.
    if [ -n "$outside" ]; then
        kill -9 "${first:-$outside}" 2>/dev/null || true
        wait "$outside" 2>/dev/null || true
    fi
    unshare --mount bash -euc "$groups"'; find "$1" -depth -type d -exec rmdir {} +' "$scratch/groups" "$group" || true
    rm -rf "$scratch"
    psql --command "DROP DATABASE IF EXISTS $database WITH (FORCE)" "$HOTLINE_TEST_POSTGRES"
}
trap end EXIT
trap 'exit 130' INT TERM

psql --command "CREATE DATABASE $database" "$HOTLINE_TEST_POSTGRES"
unshare --mount bash -euc "$groups"'; mkdir "$1"' "$scratch/groups" "$group"

# What docs/deploying.md has an administrator install.
cp "$target/debug/hotline" config/hotline.service "$scratch/"
sed 's/^listen = .*/listen = ["127.0.0.1:0"]/' config/server.toml >"$scratch/server.toml"
(umask 077 && echo "${HOTLINE_TEST_POSTGRES%/*}/$database" >"$scratch/database" &&
    od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$scratch/seal.key")
cat >"$scratch/begin" <<'BEGIN'
set -euo pipefail
if [ $$ != 1 ] || [ "$(readlink /proc/self/ns/mnt)" = "$3" ]; then echo "this is no namespace of its own"; exit 1; fi
mount --make-rprivate /
places=$(cut -d' ' -f2 /proc/self/mounts)
machine=$(while read -r place; do stat --format %d "$(printf %b "$place")" || true; done <<<"$places" 2>/dev/null)
# Before anything else: at its start a systemd empties directories of the machine that it takes for its own.
while read -r place; do
    case "$place" in
    /proc* | /sys/fs/cgroup*) ;;
    *) mount -o remount,bind,ro "$(printf %b "$place")" ;;
    esac
done <<<"$places"
# The kernel's settings and its other groups of processes are everybody's, too.
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/upper /run/work /run/given /run/dev /run/units
mount --bind "$1" /run/given
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
# No disk is among its devices.
mount -t tmpfs -o mode=755 tmpfs /run/dev
cp -a /dev/{null,zero,full,random,urandom,tty} /run/dev/
mkdir /run/dev/pts /run/dev/shm
ln -s pts/ptmx /run/dev/ptmx
mount --move /run/dev /dev
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
# Nothing that a whole machine would begin with: no service besides, nothing that mounts its disks or cleans its directories.
cp /usr/lib/systemd/system/*.target /run/units/
for place in /tmp /var /root /usr/local/bin /etc/systemd /usr/local/lib/systemd \
    /usr/lib/systemd/{system,system-generators,system-environment-generators}; do
    [ ! -d "$place" ] || mount -t tmpfs -o mode=755 tmpfs "$place"
done
: >/etc/fstab
cp /run/units/* /usr/lib/systemd/system/
chmod 1777 /tmp
mkdir /var/lib /var/tmp /var/log
cd /
install -m 0755 /run/given/hotline /usr/local/bin/
install -d -m 0755 /etc/hotline
install -m 0644 /run/given/server.toml /etc/hotline/
install -m 0600 /run/given/database /run/given/seal.key /etc/hotline/
install -D -m 0644 /run/given/hotline.service /etc/systemd/system/hotline.service
umount /run/given
# There is no journald: what the server says goes to a file, and what systemd says would go to the kernel's log.
mkdir /etc/systemd/system/hotline.service.d
printf '[Service]\nStandardError=append:/run/said\n' >/etc/systemd/system/hotline.service.d/said.conf
printf '[Unit]\nDescription=Nothing besides\nDefaultDependencies=no\n' >/etc/systemd/system/nothing.target
mkfifo /dev/kmsg
exec 3<>/dev/kmsg
cat <&3 3>&- &
exec 3>&-
# As a systemd has it on a machine, and expects it of whoever made a container: the child that mounts a service's credentials
# has mounts of its own, and they come to everybody else only by this. Outside they do not come: / was made private before.
mount --make-rshared /
# It begins only if nothing of the machine can be written.
while read -r _ place _; do
    place=$(printf %b "$place")
    touch "$place/written" 2>/dev/null || continue
    rm "$place/written"
    if grep -qx "$(stat --format %d "$place")" <<<"$machine"; then echo "$place of this machine can be written"; exit 1; fi
done </proc/self/mounts
exec env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin container=other \
    setpriv --bounding-set -sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog \
    "$2" --system --unit=nothing.target --log-target=kmsg --show-status=no
BEGIN
# One process from here to the last unshare, whose child is the systemd: both end with this script, however it ends.
unshare --mount bash -euc "$groups"'; echo $$ >"$1/cgroup.procs"; cd /; umount "$0"; shift; exec "$@"' \
    "$scratch/groups" "$group" setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --cgroup --ipc --uts \
    bash "$scratch/begin" "$scratch" "$manager" "$(readlink /proc/self/ns/mnt)" >"$scratch/log" 2>&1 &
outside=$!

fail() {
    echo "systemd.sh: $*"
    tail -n 60 "$scratch/log"
    [ -z "$first" ] || tail -n 40 "/proc/$first/root/run/said"
    [ -z "$first" ] || in_it systemctl show --property Result,ExecMainStatus,ExecMainCode,StatusText,StatusErrno,NRestarts hotline
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
is ActiveState active || fail "it serves, and is $(shown ActiveState)"
[[ "$(shown StatusText)" == serving* ]] || fail "it serves, and says: $(shown StatusText)"
echo "started: $(shown StatusText)"

# What the kernel says of the process, and what it sees: the files that it may not write can be written by others here.
server=/proc/$(process)
for line in status:'NoNewPrivs:\s1' status:'CapBnd:\s0*$' status:'CapPrm:\s0*$' status:'CapEff:\s0*$' status:'CapAmb:\s0*$' \
    status:'Seccomp:\s2' limits:'Max core file size\s*0\s*0\s' \
    mountinfo:'.* /proc .* - proc proc .*hidepid=invisible' mountinfo:'.* /proc .* - proc proc .*subset=pid'; do
    grep -q "^${line#*:}" "$server/${line%%:*}" || fail "no ${line#*:} in ${line%%:*}: $(cat "$server/${line%%:*}")"
done
! grep -q '^[UG]id:.*\s0\s' "$server/status" || fail "it runs as root"
for kind in user mnt; do
    [ "$(readlink "$server/ns/$kind")" != "$(readlink "/proc/$first/ns/$kind")" ] || fail "it has no $kind namespace of its own"
done
for place in /etc /run /run/lock /var /usr/local/bin; do
    touch "/proc/$first/root$place/written" || fail "$place cannot be written at all"
    ! touch "$server/root$place/written" 2>/dev/null || fail "it may write in $place"
done
touch "$server/root/var/lib/hotline/written" "$server/root/tmp/written" || fail "it may not write where it has to"
[ ! -e "/proc/$first/root/tmp/written" ] || fail "its /tmp is everybody's"

# What its filters forbid, tried by a service that differs in its program alone, and by root, who may.
cat >"/proc/$first/root/etc/hotline/tries" <<'TRIES'
touch /tmp/own
for try in 'unshare --user true' 'setarch --addr-no-randomize true' "taskset --pid 1 $$" 'chmod u+s /tmp/own'; do
    if $try >/dev/null 2>&1; then echo "$try"; fi
done
TRIES
sed -e 's/^Type=.*/Type=oneshot/; s/^StateDirectory=.*/StateDirectory=tries/; /^Restart/d; /^LoadCredential=/d' \
    -e 's|^ExecStart=.*|ExecStart=/bin/bash /etc/hotline/tries\nStandardOutput=append:/run/tried|' config/hotline.service \
    >"/proc/$first/root/etc/systemd/system/tries.service"
in_it systemctl start tries || fail "what its filters forbid cannot be tried"
[ ! -s "/proc/$first/root/run/tried" ] || fail "it may $(cat "/proc/$first/root/run/tried")"
[ "$(in_it bash /etc/hotline/tries | wc -l)" = 4 ] || fail "not even root may more than: $(in_it bash /etc/hotline/tries)"
echo "hardened: no capability, filters that refuse, a user, a /proc and a /tmp of its own, little to write to"

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
is NRestarts 2 || fail "begun again $(shown NRestarts) times instead of twice"
echo "stood still: ended by the watchdog, begun again"

in_it systemctl stop hotline
if ! is Result success || ! is ExecMainStatus 0; then fail "ended with $(shown Result), $(shown ExecMainStatus)"; fi
echo "stopped: in good order"

echo 'listen = 7430' >"/proc/$first/root/etc/hotline/server.toml"
! in_it systemctl start hotline >"$scratch/said" 2>&1 || fail "it starts with a configuration that makes no sense"
# It would be activating, not failed, if it were to be begun again.
until_so "it is given up" is ActiveState failed
is ExecMainStatus 2 || fail "it ended with $(shown ExecMainStatus)"
is NRestarts 0 || fail "begun again $(shown NRestarts) times with a configuration that makes no sense"
echo "misconfigured: not begun again"
