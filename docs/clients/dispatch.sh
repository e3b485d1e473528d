#!/usr/bin/env bash
# Dispatches tasks as they arrive: one task, its completion, a list of tasks, and the queues.
#
#     dispatch.sh [http://127.0.0.1:8080]
#
# Sends the token in the environment variable TRAINER_TOKEN, if it is set. Needs curl and jq.
set -euo pipefail
service=${1:-http://127.0.0.1:8080}
service=${service%/}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# Asks for a path; with a second argument posts it. While the service is busy, curl waits the seconds that Retry-After names.
ask() {
    local status
    # The token is passed as a file: other users can see the arguments of a command.
    status=$(curl --silent --show-error --max-time 30 --retry 4 --output "$answer" --write-out '%{http_code}' \
        --header 'Content-Type: application/json' \
        --header @<(printf '%s' "${TRAINER_TOKEN:+Authorization: Bearer $TRAINER_TOKEN}") \
        ${2:+--data "$2"} "$service$1") || exit 1
    if [[ $status != 200 ]]; then
        # The service sends a problem document (RFC 9457); a proxy in between may answer with something else.
        jq --raw-output '"error: \(.title): \(.detail)" + if .field then " (\(.field))" else "" end' "$answer" >&2 2>/dev/null \
            || echo "error: status $status" >&2
        exit 1
    fi
}

show='"\(.id): \(.place), expected after \((.done_s - .time_s) * 10 | round / 10) s, cost \(.cost * 10 | round / 10)"'

# One task of 12 MB arrives at the first device; its id is used to say that it is done.
ask /v1/dispatch '{ "device": 0, "size_mb": 12, "id": "photo" }'
jq --raw-output "$show" "$answer"
ask /v1/completed '{ "id": "photo" }'
jq --raw-output '"\(.id): done after \((.done_s - .time_s) * 1000 | round / 1000) s"' "$answer"

# One request for many tasks takes far less time than one request for each.
ask /v1/dispatch '{ "tasks": [
    { "device": 0, "size_mb": 30 },
    { "device": "device 1", "size_mb": 20, "deadline_s": 60 },
    { "device": 2, "size_mb": 5, "uplink_mbps": 20 }
] }'
jq --raw-output ".answers[] | $show" "$answer"

ask '/v1/queues?most=3'
jq --raw-output '.queues[] | "\(.name): \(.backlog_s * 10 | round / 10) s"' "$answer"
