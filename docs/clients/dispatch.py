#!/usr/bin/env python3
"""Dispatches tasks as they arrive: one task, its completion, a list of tasks, and the queues.

    python3 dispatch.py [http://127.0.0.1:8080]

Sends the token in the environment variable TRAINER_TOKEN, if it is set. Needs nothing but Python.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

ATTEMPTS = 5


def ask(service, path, request=None):
    """Posts a request, or asks for a path. While the service is busy, waits the seconds that it names and asks again."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("TRAINER_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    body = None if request is None else json.dumps(request).encode()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            asked = urllib.request.Request(f"{service}{path}", body, headers)
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


def show(task):
    print(f"{task['id']}: {task['place']}, expected after {task['done_s'] - task['time_s']:.1f} s, cost {task['cost']:.1f}")


def main():
    service = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    # One task of 12 MB arrives at the first device; its id is used to say that it is done.
    show(ask(service, "/v1/dispatch", {"device": 0, "size_mb": 12, "id": "photo"}))
    done = ask(service, "/v1/completed", {"id": "photo"})
    print(f"{done['id']}: done after {done['done_s'] - done['time_s']:.3f} s")

    # One request for many tasks takes far less time than one request for each.
    tasks = [
        {"device": 0, "size_mb": 30},
        {"device": "device 1", "size_mb": 20, "deadline_s": 60},
        {"device": 2, "size_mb": 5, "uplink_mbps": 20},
    ]
    for task in ask(service, "/v1/dispatch", {"tasks": tasks})["answers"]:
        show(task)
    for queue in ask(service, "/v1/queues?most=3")["queues"]:
        print(f"{queue['name']}: {queue['backlog_s']:.1f} s")


main()
