#!/usr/bin/env bash
# Checks docs/deploy: the manifests for Kubernetes against its schemas, and the service behind nginx and Caddy. TRAINER names a
# built program to take instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -z ${TRAINER:-} ]]; then
    cargo build --quiet -p trainer
    TRAINER=$PWD/target/debug/trainer
fi

# Installs the package of a command that is missing. Without apt-get, or without the rights to use it, it stays missing.
provide() {
    command -v "$1" >/dev/null && return
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$1"; } >/dev/null 2>&1 || true
}

python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }
venv=target/service-venv
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check \
    kubernetes-validate==1.37.0 prometheus-client==0.26.0 websockets==17.4
"$venv/bin/python" scripts/service/manifests.py --trainer "$TRAINER"

for proxy in nginx caddy; do
    for program in "$proxy" chromium; do
        provide "$program"
        if ! command -v "$program" >/dev/null; then
            echo "skipped: the service behind $proxy, since $program is not here and apt-get cannot install it"
            continue 2
        fi
    done
    "$venv/bin/python" scripts/service/proxies.py --trainer "$TRAINER" --record models/mobile --proxy "$proxy"
done
