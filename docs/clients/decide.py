#!/usr/bin/env python3
"""Asks a decision service where tasks should run: once, and for many workloads at once.

    python3 decide.py [http://127.0.0.1:8080]

Sends the token in the environment variable TRAINER_TOKEN, if it is set. Needs nothing but Python.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

ATTEMPTS = 5


def decide(service, request):
    """Posts a request. While the service is busy, waits the seconds that it names and asks again."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("TRAINER_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps(request).encode()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            asked = urllib.request.Request(f"{service}/v1/decide", body, headers)
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 503 or attempt == ATTEMPTS:
                sys.exit(f"error: {said(error)}")
            time.sleep(float(error.headers.get("Retry-After", 1)))
        except OSError as error:
            sys.exit(f"error: {service} does not answer: {error}")


def said(error):
    """The text of an error: a problem document (RFC 9457), or the bare status if a proxy answered instead."""
    try:
        problem = json.load(error)
        return f"{problem['title']}: {problem['detail']}" + (f" ({problem['field']})" if "field" in problem else "")
    except (ValueError, KeyError, TypeError):
        return f"status {error.code}"


def show(answer):
    for device, places in enumerate(answer["placements"], 1):
        for task, place in enumerate(places, 1):
            print(f"device {device}, task {task}: {place}")
    print(f"{answer['energy_j']:.1f} J, {answer['time_s']:.1f} s")


def main():
    service = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    # Sizes in MB, one row for each device with one number for each task. The second device's uplink has become slow.
    sizes = [[12.0, 25.5, 18.0], [10.0, 30.0, 22.0], [28.0, 11.5, 16.0]]
    show(decide(service, {"tasks_mb": sizes, "environment": {"uplink_mbps": [10.0, 1.5, 10.0]}}))

    # One request for many workloads takes far less time than one request for each.
    factors = [0.8, 1.0, 1.2]
    workloads = [{"id": f"sizes × {factor}", "tasks_mb": [[size * factor for size in row] for row in sizes]}
                 for factor in factors]
    for answer in decide(service, {"workloads": workloads})["answers"]:
        print(f"\n{answer['id']}")
        show(answer)


main()
