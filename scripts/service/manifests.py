#!/usr/bin/env python3
"""Validates the Kubernetes manifests in docs/deploy without a cluster, and that they fit each other and the service.

    python3 scripts/service/manifests.py --trainer target/debug/trainer

Needs the Python package kubernetes-validate, which brings the schemas of Kubernetes. Ends with status 1 at the first mistake.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "docs/deploy/kubernetes"
# The oldest release whose pods can sleep before they end, and the newest that the schemas know.
OLDEST = "1.30"


class Wrong(Exception):
    """Something is not as it must be."""


def demand(holds, words):
    if not holds:
        raise Wrong(words)


def read():
    """All manifests, by kind."""
    documents = [document for path in sorted(FOLDER.glob("*.yaml")) for document in yaml.safe_load_all(path.read_text())]
    kinds = [document["kind"] for document in documents]
    demand(len(set(kinds)) == len(kinds), f"a kind occurs twice: {kinds}")
    return dict(zip(kinds, documents))


def validate(manifests):
    newest = kubernetes_validate.latest_version()
    for kind, manifest in manifests.items():
        # The Prometheus Operator's own kind is no part of Kubernetes.
        if not manifest["apiVersion"].startswith("monitoring.coreos.com/"):
            for version in [OLDEST, newest]:
                try:
                    kubernetes_validate.validate(manifest, version, strict=True)
                except Exception as error:
                    raise Wrong(f"{kind}, Kubernetes {version}: {error}") from error
                print(f"{kind} is valid for Kubernetes {version}")


def check_references(manifests):
    """What manifests name in each other must be there."""
    deployment = manifests["Deployment"]
    pod = deployment["spec"]["template"]
    labels, [container] = pod["metadata"]["labels"], pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    service, monitor = manifests["Service"]["spec"], manifests["PodMonitor"]["spec"]
    selectors = {
        "Deployment": deployment["spec"]["selector"]["matchLabels"],
        "Service": service["selector"],
        "PodDisruptionBudget": manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "PodMonitor": monitor["selector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        demand(selector and selector.items() <= labels.items(), f"the {kind} selects no pod of the Deployment: {selector}")
    probes = [container[probe]["httpGet"] for probe in ["livenessProbe", "readinessProbe"]]
    named = [port["targetPort"] for port in service["ports"]] + [probe["port"] for probe in probes]
    [endpoint] = monitor["podMetricsEndpoints"]
    for port in [*named, endpoint["port"]]:
        demand(port in ports, f"the container has no port {port}")
    demand([probe["path"] for probe in probes] == ["/healthz", "/readyz"], "the probes ask for other paths")
    demand(endpoint["path"] == "/metrics", "the PodMonitor asks for another path")
    target = manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    demand((target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"]), f"it scales {target}")
    demand("replicas" not in deployment["spec"], "the Deployment sets the replicas, which are the autoscaler's")
    demand("cpu" in container["resources"]["requests"], "without a request for CPU there is no utilisation to scale by")
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["spec"]["volumes"]}
    demand(endpoint["authorization"]["credentials"]["name"] in secrets.values(), "the PodMonitor reads another token")
    return container, ports, secrets


def check_container(container, ports, secrets):
    """The files that the service reads must be mounted, and it must listen on the port that is named."""
    arguments = dict(argument.split("=", 1) for argument in container["args"])
    mounts = {mount["mountPath"]: secrets[mount["name"]] for mount in container["volumeMounts"]}
    for option in ["--token-file", "--tls-cert", "--tls-key"]:
        demand(str(Path(arguments[option]).parent) in mounts, f"{option} {arguments[option]} is not mounted")
    port = int(arguments["--listen"].rsplit(":", 1)[1])
    demand(port in ports.values(), f"the service listens on {port}, and the container's ports are {ports}")
    security = container["securityContext"]
    demand(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], "the container may do too much")
    return arguments


def check_options(trainer, arguments):
    """The program must know every option."""
    known = subprocess.run([trainer, "serve", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for option in arguments:
        demand(re.search(rf"{option}\b", known), f"the service has no option {option}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", type=Path, required=True, help="the built program")
    options = parser.parse_args()
    try:
        manifests = read()
        validate(manifests)
        check_options(options.trainer, check_container(*check_references(manifests)))
    except (Wrong, KeyError, ValueError) as wrong:
        sys.exit(f"error: {wrong!r}" if isinstance(wrong, KeyError) else f"error: {wrong}")
    print("the manifests fit each other and the service")


if __name__ == "__main__":
    main()
