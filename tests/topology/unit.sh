#!/usr/bin/env bash
# config/hotline.service, as systemd reads it: no word that it does not know, and as little left to the service as can be.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Out of ten, times ten: what a service that may use the network cannot be without.
exposure_max=15

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# looked_at FILE: systemd asks for the program itself, so some other stands for it.
looked_at() {
    sed 's|^ExecStart=/usr/local/bin/hotline |ExecStart=/bin/true |' "$1" >"$scratch/hotline.service"
    systemd-analyze verify --man=no "$scratch/hotline.service" >"$scratch/said" 2>&1 || { cat "$scratch/said"; return 1; }
    if grep -F hotline.service "$scratch/said"; then return 1; fi
    systemd-analyze security --offline=true --threshold="$exposure_max" --no-pager "$scratch/hotline.service" \
        >"$scratch/said" 2>&1 || { cat "$scratch/said"; return 1; }
    tail -n 1 "$scratch/said"
}

looked_at config/hotline.service

# The checks find what is wrong.
sed 's/^NoNewPrivileges=/NoNewPrivilege=/' config/hotline.service >"$scratch/misspelt"
sed '/^CapabilityBoundingSet=/d; /^Protect/d; /^SystemCallFilter=/d' config/hotline.service >"$scratch/open"
for bad in misspelt open; do
    if looked_at "$scratch/$bad" >"$scratch/found"; then
        echo "a unit that is $bad was not found out"
        exit 1
    fi
done

# What the server's own exit codes and its watchdog ask for.
for line in Type=notify RestartForceExitStatus=75 "RestartPreventExitStatus=2 78" LimitCORE=0 'LoadCredential=database:*' \
    'LoadCredential=seal.key:*' 'WatchdogSec=*'; do
    grep -qx "${line/\*/.*}" config/hotline.service || { echo "the unit has no line $line"; exit 1; }
done
