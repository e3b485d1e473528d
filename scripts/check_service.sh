#!/usr/bin/env bash
# Asks the decision service everything that its own description allows and much that it does not, and drives its page in a
# browser, and pages that replay runs. TRAINER names a built program to take instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -z ${TRAINER:-} ]]; then
    cargo build --quiet -p trainer
    TRAINER=$PWD/target/debug/trainer
fi
missing=()
command -v chromium >/dev/null || missing+=(chromium)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
((${#missing[@]} == 0)) || { apt-get update -qq && apt-get install -y -qq "${missing[@]}"; }
venv=target/service-venv
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5 websockets==17.4

folder=$(mktemp -d)
service=
dispatching=
finish() {
    for process in $service $dispatching; do
        kill "$process" 2>/dev/null || true
        wait "$process" || true
    done
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 143' TERM INT

cat >"$folder/drive.csv" <<'END'
t_s,device,mbps
0,a,20
0,b,5
0,c,3
60,a,2
60,b,30
60,c,0.4
END
: >"$folder/said"
"$TRAINER" serve --record models/mobile --drive "$folder/drive.csv" --listen 127.0.0.1:0 2>"$folder/said" &
service=$!
address=
for _ in {1..300}; do
    address=$(sed -n 's|^serving .* at \(http://[^;,]*\).*|\1|p' "$folder/said")
    [[ -z $address ]] && kill -0 "$service" 2>/dev/null || break
    sleep 0.1
done
[[ -n $address ]] || { cat "$folder/said"; exit 1; }
# In a folder of its own: what it keeps of one run would change the next.
(cd "$folder" && timeout 180 "$OLDPWD/$venv/bin/schemathesis" run "$address/openapi.json" --checks all \
    --phases coverage,fuzzing --seed 1 --max-examples 60 --request-timeout 10)
kill -0 "$service" || { echo "the service ended"; cat "$folder/said"; exit 1; }

# The same for a service that dispatches tasks as they arrive.
"$TRAINER" serve --scenario dispatch --listen 127.0.0.1:0 2>"$folder/dispatching" &
dispatching=$!
sleep 1
address=$(sed -n 's|^serving .* at \(http://[^;,]*\).*|\1|p' "$folder/dispatching")
[[ -n $address ]] || { cat "$folder/dispatching"; exit 1; }
(cd "$folder" && timeout 180 "$OLDPWD/$venv/bin/schemathesis" run "$address/openapi.json" --checks all \
    --phases coverage,fuzzing --seed 1 --max-examples 60 --request-timeout 10)
kill -0 "$dispatching" || { echo "the service ended"; cat "$folder/dispatching"; exit 1; }

"$venv/bin/python" scripts/service/browser.py --trainer "$TRAINER" --record models/mobile --shots target/service-shots
"$venv/bin/python" scripts/service/replay.py --trainer "$TRAINER" --shots target/service-shots
