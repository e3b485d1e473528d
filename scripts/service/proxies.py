#!/usr/bin/env python3
"""Runs the service behind nginx and Caddy, with the configurations in docs/deploy, and asks for everything through them.

    python3 scripts/service/proxies.py --trainer target/debug/trainer --record models/mobile --proxy nginx

Takes the configuration as it is but for ports, host names and certificates: TLS is off. Needs the proxy, `chromium`, and the
Python packages prometheus-client and websockets. Ends with status 1 at the first thing that is wrong.
"""

import argparse
import gzip
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from browser import Browser, Page, Wrong, costs, demand
from load import Service
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

DEPLOY = Path(__file__).resolve().parents[2] / "docs/deploy"
HOST, PREFIX = "edge.example", "/mr-dro"
PUBLIC = f"https://{HOST}{PREFIX}/"
WORKLOAD = {"tasks_mb": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/mr-dro.conf;
}}
"""


def replaced(text, changes):
    """A configuration with some of its lines changed, each of which must be there."""
    for line, other in changes.items():
        demand(text.count(line) == 1, f"the configuration has no single `{line.strip()}`")
        text = text.replace(line, other)
    return text


def nginx(folder, port, service):
    text = (DEPLOY / "nginx.conf").read_text()
    text = replaced(re.sub(r"\n *ssl_certificate[^\n]*", "", text), {
        "server 127.0.0.1:8080;": f"server {service.host}:{service.port};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
    })
    (folder / "mr-dro.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder, port, service):
    text = replaced((DEPLOY / "Caddyfile").read_text(), {
        f"\n{HOST} {{": f"\nhttp://{HOST}:{port} {{",
        "\treverse_proxy 127.0.0.1:8080": f"\treverse_proxy {service.host}:{service.port}",
    })
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


class Proxy:
    """A proxy before a service, ended with the `with` block."""

    def __init__(self, name, folder, port, service):
        self.port = port
        self.command = {"nginx": nginx, "caddy": caddy}[name](folder, port, service)
        self.folder = folder

    def __enter__(self):
        places = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"], str(self.folder))
        self.log = open(self.folder / "proxy.log", "w+")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=os.environ | places)
        end = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    said = self.said()
                    self.__exit__()
                    raise Wrong(f"{' '.join(self.command)} does not serve:\n{said}") from None
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def said(self):
        return (self.folder / "proxy.log").read_text(errors="replace")

    def ask(self, method, path, body=None, **headers):
        """One request as a client sends it that has come to the public URL."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": HOST, **headers})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def get(self, path, **headers):
        answer = self.ask("GET", path, **headers)
        demand(answer.status == 200, f"{path} is answered with {answer.status}: {answer.text}")
        return answer


def check_page(proxy, service):
    moved = proxy.ask("GET", PREFIX)
    demand(moved.status in (301, 308), f"{PREFIX} is answered with {moved.status}")
    target = urljoin(f"https://{HOST}{PREFIX}", moved.getheader("Location"))
    demand(urlsplit(target).path == f"{PREFIX}/", f"{PREFIX} leads to {target}")
    page = proxy.get(f"{PREFIX}/")
    demand(page.getheader("Content-Security-Policy"), "the page has lost its content security policy")
    links = [link for link in re.findall(r'(?:href|src)="([^"#]+)"', page.text) if not link.startswith("data:")]
    demand(len(links) >= 2, f"the page names only {links}")
    for link in links:
        path = urlsplit(urljoin(PUBLIC, link)).path
        demand(path.startswith(f"{PREFIX}/"), f"{link} leads out of the path")
        own = service.ask("GET", path.removeprefix(PREFIX))
        demand(own.status == 200 and proxy.get(path).text == own.text, f"{path} is another file")


def check_description(proxy):
    place = urljoin(PUBLIC, "openapi.json")
    description = json.loads(proxy.get(urlsplit(place).path).text)
    server = urljoin(place, description["servers"][0]["url"]).rstrip("/")
    for path in ["/v1/scenario", "/v1/record", "/healthz", "/readyz"]:
        demand(path in description["paths"], f"{path} is not described")
        proxy.get(urlsplit(server + path).path)


def check_decisions(proxy, service):
    expected = service.decide(WORKLOAD)
    kind = {"Content_Type": "application/json"}
    body = json.dumps(WORKLOAD).encode()
    for what, text, headers in [
        ("a program", body, {}),
        ("the page", body, {"Origin": f"https://{HOST}"}),
        ("a client that compresses", gzip.compress(body), {"Content_Encoding": "gzip"}),
    ]:
        answer = proxy.ask("POST", f"{PREFIX}/v1/decide", text, **kind, **headers)
        demand(answer.status == 200, f"{what} is answered with {answer.status}: {answer.text}")
        demand(json.loads(answer.text) == expected, f"{what} is answered {answer.text}")
    foreign = proxy.ask("POST", f"{PREFIX}/v1/decide", body, **kind, Origin="https://evil.example")
    demand(foreign.status == 403, f"a page of elsewhere is answered with {foreign.status}")
    long = proxy.ask("POST", f"{PREFIX}/v1/decide", b" " * ((8 << 20) + 1), **kind)
    problem = long.getheader("Content-Type") == "application/problem+json"
    demand(long.status == 413 and problem, f"a body that is too long is answered with {long.status}: {long.text}")


def check_metrics(proxy):
    """Both formats must have the same samples, and each be what its own reader takes."""
    for path in ["/healthz", "/readyz"]:
        demand(json.loads(proxy.get(PREFIX + path).text) == {"status": "ok"}, f"{path} is not ok")
    readers = {"application/openmetrics-text": open_metrics, "text/plain": plain_text}
    counted = {}
    for kind, read in readers.items():
        answer = proxy.get(f"{PREFIX}/metrics", Accept=kind)
        demand(answer.getheader("Content-Type").startswith(kind), f"{kind} is answered as {answer.getheader('Content-Type')}")
        families = list(read(answer.text))
        kinds = {family.name.removesuffix("_total"): family.type for family in families}
        demand(kinds["mrdro_requests"] == kinds["mrdro_reloads"] == "counter", f"{kind}: no counters in {kinds}")
        demand(kinds["mrdro_decide_seconds"] == "histogram", f"{kind}: no histogram in {kinds}")
        counted[kind] = {(sample.name, *sorted(sample.labels.items())) for family in families for sample in family.samples}
    first, second = counted.values()
    demand(first == second, f"the formats differ in {first ^ second}")


def check_browser(proxy, service):
    origin = f"http://{HOST}:{proxy.port}"
    # The page's policies are for TLS, which is off here.
    secure = f"--unsafely-treat-insecure-origin-as-secure={origin}"
    with Browser(f"--host-resolver-rules=MAP {HOST} 127.0.0.1", secure) as browser:
        browser.open(f"{origin}{PREFIX}/")
        page = Page(browser, service)
        page.agrees("at the start")
        page.moves("α is 0.85", lambda: browser.set("#alpha", 0.85, "input"), costs)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def check(options, folder):
    port = free_port()
    # Chromium comes without TLS, and so from another origin.
    urls = ["--public-url", PUBLIC, "--public-url", f"http://{HOST}:{port}{PREFIX}/"]
    with (Service(options.trainer, options.record, *urls) as service,
          Proxy(options.proxy, folder, port, service) as proxy):
        try:
            check_page(proxy, service)
            check_description(proxy)
            check_decisions(proxy, service)
            check_metrics(proxy)
            check_browser(proxy, service)
        except (Wrong, OSError, http.client.HTTPException) as error:
            raise Wrong(f"behind {options.proxy}: {error}\n{proxy.said()}") from error
    print(f"behind {options.proxy}: page, description, decisions, metrics and health are as without it")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", type=Path, required=True, help="the built program")
    parser.add_argument("--record", type=Path, required=True, help="the record to serve, a directory")
    parser.add_argument("--proxy", choices=["nginx", "caddy"], required=True, help="the proxy, which must be installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # The workers of nginx are another user when it is started by root.
        os.chmod(folder, 0o755)
        try:
            check(options, Path(folder))
        except Wrong as wrong:
            sys.exit(f"error: {wrong}")


if __name__ == "__main__":
    main()
