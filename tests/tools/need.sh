# Finds or installs one tool for a stage of ./test. Sourced by it; expects TOOLS (the cache) and the top directory.
# A tool that cannot be had is named with the command that mends it, and the stage that needs it has failed.

CARGO_DENY_VERSION=0.20.2

need() {
    case "$1" in
    cargo) command -v cargo >/dev/null || lacks cargo "install Rust by rustup; rust-toolchain.toml names the version" ;;
    cc) from_debian cc gcc ;;
    binutils) from_debian nm binutils && from_debian objdump binutils ;;
    git) from_debian git git ;;
    postgresql) postgres_server ;;
    redis) from_debian redis-server redis-server ;;
    python) from_debian python3 python3 ;;
    systemd) from_debian systemd-analyze systemd ;;
    boot) from_debian systemctl systemd && from_debian pgrep procps && may_boot ;;
    compose) from_debian docker-compose docker-compose && python_reads_yaml ;;
    valgrind) from_debian valgrind valgrind ;;
    strace) from_debian strace strace ;;
    faketime) from_debian faketime faketime ;;
    e2fsprogs) from_debian mkfs.ext4 e2fsprogs ;;
    loop-mount) may_mount ;;
    namespaces) from_debian ip iproute2 && from_debian nft nftables && may_lay_networks ;;
    node) from_debian node nodejs && from_debian npm npm ;;
    buf) need node && node_tools && buf_binary ;;
    python-grpc) from_debian python3 python3 && python_packages ;;
    cargo-deny) cargo_tool cargo-deny "$CARGO_DENY_VERSION" ;;
    *) lacks "$1" "teach tests/tools/need.sh how to find it" ;;
    esac
}

lacks() {
    echo "missing tool: $1"
    echo "to mend it: $2"
    return 1
}

# from_debian COMMAND PACKAGE
from_debian() {
    command -v "$1" >/dev/null && return
    install_from_debian "$2"
    command -v "$1" >/dev/null || lacks "$1" "sudo apt-get install $2"
}

# As root only: nobody else may.
install_from_debian() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
    fi
}

# A server and the programs that make one, which Debian does not put into the PATH. It runs as somebody else than root.
postgres_server() {
    has_postgres || install_from_debian postgresql
    has_postgres || lacks 'a Postgres server' 'sudo apt-get install postgresql' || return
    [ "$(id -u)" != 0 ] || from_debian setpriv util-linux
}

has_postgres() {
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null
}

# What the compose tool says is YAML.
python_reads_yaml() {
    python3 -c 'import yaml' 2>/dev/null || /usr/bin/python3 -c 'import yaml' 2>/dev/null && return
    install_from_debian python3-yaml
    /usr/bin/python3 -c 'import yaml' 2>/dev/null || lacks 'python3 with yaml' 'sudo apt-get install python3-yaml'
}

# Whether a file can be mounted as a disk here: a full disk is tried on a small one.
may_mount() {
    local place ok=no
    place=$(mktemp -d) && truncate -s 4M "$place/image" && mkdir "$place/disk" && mkfs.ext4 -q "$place/image" &&
        mount -o loop "$place/image" "$place/disk" && umount "$place/disk" && ok=yes
    rm -rf "$place"
    [ $ok = yes ] || lacks 'the right to mount a file as a disk' 'run this stage as root, outside a container that forbids it'
}

# Whether networks of namespaces can be laid here, with packets that are lost: a kernel need not know how.
may_lay_networks() {
    local space=hl-try-$$ ok=no
    ip netns add "$space" && ip -n "$space" link add switch type bridge &&
        ip -n "$space" link add here type veth peer name there &&
        ip netns exec "$space" nft 'add table inet try; add chain inet try in { type filter hook input priority 0; };
            add rule inet try in ip saddr 198.18.77.1 numgen random mod 10 == 0 drop' && ok=yes
    ip netns delete "$space" 2>/dev/null
    [ $ok = yes ] || lacks 'the right, or a kernel, to lay networks of namespaces that lose packets' \
        'run this stage as root, outside a container that forbids it, on a kernel with veth, bridge and nft numgen'
}

# Whether namespaces can be made here that a systemd can be the first process of, and that leave this machine as it is.
may_boot() {
    unshare --mount --pid --fork --kill-child --cgroup --ipc --uts bash -euc '
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/upper /mnt/work /mnt/etc /mnt/groups
        mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /mnt/etc
        mount -t cgroup2 cgroup2 /mnt/groups
        mount -t proc proc /proc' && return
    lacks 'the right, or a kernel, to begin a systemd in namespaces' \
        'run this stage as root, outside a container that forbids it, on a kernel with overlay and cgroup2'
}

# The npm packages of tests/tools/package-lock.json, without running any script of theirs.
node_tools() {
    local wanted=tests/tools/package-lock.json have="$TOOLS/node/package-lock.json"
    cmp -s "$wanted" "$have" && [ -d "$TOOLS/node/node_modules" ] && return
    rm -rf "$TOOLS/node" && mkdir -p "$TOOLS/node" &&
        cp tests/tools/package.json "$TOOLS/node/" &&
        cp "$wanted" "$TOOLS/node/lock.json" && mv "$TOOLS/node/lock.json" "$have" &&
        (cd "$TOOLS/node" && npm ci --ignore-scripts --no-audit --no-fund) && return
    rm -rf "$TOOLS/node"
    lacks "the packages of $wanted" "see why npm ci fails above; it needs the npm registry once"
}

# buf's binary comes inside the package of its platform; a link saves the stage from knowing which.
buf_binary() {
    local machine binary
    machine=$(uname -m)
    binary="$TOOLS/node/node_modules/@bufbuild/buf-linux-${machine/x86_64/x64}/bin/buf"
    [ -x "$binary" ] || { lacks buf "there is none for $machine in tests/tools/package.json: add it there"; return 1; }
    ln -sf "$binary" "$TOOLS/bin/buf"
}

# The packages of tests/strangers/requirements.txt, in an environment of their own.
python_packages() {
    local wanted=tests/strangers/requirements.txt have="$TOOLS/python/requirements.txt"
    cmp -s "$wanted" "$have" && [ -x "$TOOLS/python/bin/python" ] && return
    rm -rf "$TOOLS/python"
    python3 -m venv "$TOOLS/python" ||
        { rm -rf "$TOOLS/python"; lacks "python3 with venv" "sudo apt-get install python3-venv"; return 1; }
    "$TOOLS/python/bin/python" -m pip install --quiet --no-input --disable-pip-version-check -r "$wanted" &&
        cp "$wanted" "$have" && return
    rm -rf "$TOOLS/python"
    lacks "the packages of $wanted" "see why pip install fails above; it needs Python's package index once"
}

# cargo_tool CRATE VERSION: built plainly, because it runs for a second and would take minutes to optimise.
cargo_tool() {
    [ "$("$TOOLS/bin/$1" --version 2>/dev/null)" = "$1 $2" ] && return
    CARGO_TARGET_DIR="$TOOLS/build" CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --force --root "$TOOLS" --version "$2" "$1" && rm -rf "$TOOLS/build" && return
    lacks "$1 $2" "cargo install --locked --root $TOOLS --version $2 $1"
}
