"""Checks what unit tests cannot, with the makers' own tools: `make check-deploy`.

hadolint for the images, Helm and the schemas of Kubernetes for the chart, promtool for the alerts.
Exits 1 with what is wrong; says which tool is not here.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parent
SECRET = {"secrets": {"existing": "mine"}}
INLINE = {
    "databaseUrl": "postgresql://m:p@db/m",
    "brokerUrl": "redis://:word@cache.example:6379/0",
    "secret": "0" * 64,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "as it comes": SECRET,
    "batches": SECRET
    | {"workers": {"batch": {"enabled": True}}, "media": {"existingClaim": "media"}},
    "secrets of the chart, ingress, GPUs, traces": {
        "secrets": {"inline": INLINE},
        "api": {"ingress": {"enabled": True, "host": "a.example", "tlsSecret": "tls"}},
        "workers": {"score": {"gpus": 1}, "batch": {"enabled": True}},
        "media": {"existingClaim": "media"},
        "network": {"traces": {"enabled": True}},
    },
}
OF_KEDA = {"ScaledObject", "TriggerAuthentication"}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that the chart makes of these values."""
    from helm_python import Chart

    texts = Chart.load(DEPLOY / "helm").render(values, name="r", namespace="n")
    made = [one for text in texts.values() for one in yaml.safe_load_all(text) if one]
    return sorted(made, key=lambda one: (one["kind"], one["metadata"]["name"]))


def chart() -> Iterator[str]:
    """What is wrong with the chart."""
    import kubernetes_validate
    from helm_python import lint

    for name, values in VARIANTS.items():
        told = lint(DEPLOY / "helm", values)
        yield from (f"{name}: {one}" for one in told.get("errors") or [])
        for one in rendered(values):
            if one["kind"] in OF_KEDA:
                continue
            try:
                kubernetes_validate.validate(one, "1.34", strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{name}: {one['kind']} {one['metadata']['name']}: {error.message}"


def images() -> Iterator[str]:
    """What hadolint says."""
    for path in sorted((DEPLOY / "docker").glob("*.Dockerfile")):
        done = subprocess.run(["hadolint", path], capture_output=True, text=True)
        if done.returncode:
            yield done.stdout


def alerts() -> Iterator[str]:
    """What promtool says."""
    for command in (["check", "config", "prometheus.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run(
            ["promtool", *command], cwd=DEPLOY / "prometheus", capture_output=True, text=True
        )
        if done.returncode:
            yield done.stdout + done.stderr


def main() -> int:
    """Print what is wrong; `--render` prints the chart's objects as JSON instead."""
    if "--render" in sys.argv:
        print(json.dumps({name: rendered(values) for name, values in VARIANTS.items()}))
        return 0
    checks = {
        "helm and kubernetes": (chart, all(map(find_spec, ("helm_python", "kubernetes_validate")))),
        "hadolint": (images, shutil.which("hadolint")),
        "promtool": (alerts, shutil.which("promtool")),
    }
    wrong = 0
    for name, (check, is_here) in checks.items():
        found = list(check()) if is_here else []
        wrong += len(found)
        print(
            f"{name}: {'not here' if not is_here else f'{len(found)} faults'}", *found, sep="\n  "
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
