#!/usr/bin/env bash
# Asks a decision service where tasks should run: once, and for many workloads at once.
#
#     decide.sh [http://127.0.0.1:8080]
#
# Sends the token in the environment variable TRAINER_TOKEN, if it is set. Needs curl and jq.
set -euo pipefail
service=${1:-http://127.0.0.1:8080}
service=${service%/}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# Posts a request. While the service is busy, curl waits the seconds that Retry-After names and asks again.
decide() {
    local status
    # The token is passed as a file: other users can see the arguments of a command.
    status=$(curl --silent --show-error --max-time 30 --retry 4 --output "$answer" --write-out '%{http_code}' \
        --header 'Content-Type: application/json' \
        --header @<(printf '%s' "${TRAINER_TOKEN:+Authorization: Bearer $TRAINER_TOKEN}") \
        --data "$1" "$service/v1/decide") || exit 1
    if [[ $status != 200 ]]; then
        # The service sends a problem document (RFC 9457); a proxy in between may answer with something else.
        jq --raw-output '"error: \(.title): \(.detail)" + if .field then " (\(.field))" else "" end' "$answer" >&2 2>/dev/null \
            || echo "error: status $status" >&2
        exit 1
    fi
}

show='
    (.placements | to_entries[] | .key as $device | .value | to_entries[]
        | "device \($device + 1), task \(.key + 1): \(.value)"),
    "\(.energy_j * 10 | round / 10) J, \(.time_s * 10 | round / 10) s"'

# Sizes in MB, one row for each device with one number for each task. The second device's uplink has become slow.
decide '{
    "tasks_mb": [[12.0, 25.5, 18.0], [10.0, 30.0, 22.0], [28.0, 11.5, 16.0]],
    "environment": { "uplink_mbps": [10.0, 1.5, 10.0] }
}'
jq --raw-output "$show" "$answer"

# One request for many workloads takes far less time than one request for each.
decide '{ "workloads": [
    { "id": "morning", "tasks_mb": [[12.0, 25.5, 18.0], [10.0, 30.0, 22.0], [28.0, 11.5, 16.0]] },
    { "id": "evening", "tasks_mb": [[14.5, 29.0, 21.0], [11.0, 27.5, 25.0], [24.0, 13.0, 19.5]] }
] }'
jq --raw-output ".answers[] | \"\", .id, ($show)" "$answer"
