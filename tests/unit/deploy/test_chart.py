"""The chart as Helm renders it; needs the tools of `make check-deploy`."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(".venv-deploy/bin/python")
Objects = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def rendered() -> dict[str, Objects]:
    """Objects by kind and name without the release's, of each variant of the values."""
    if not TOOLS.exists():
        pytest.skip("`make check-deploy` installs Helm")
    done = subprocess.run([TOOLS, "deploy/check.py", "--render"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {
        variant: {
            (one["kind"], one["metadata"]["name"].removeprefix("r-real-moderation-")): one
            for one in objects
        }
        for variant, objects in json.loads(done.stdout).items()
    }


def pod(objects: Objects, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = objects["Deployment", name]["spec"]["template"]["spec"]
    return spec


def test_each_queue_scales_and_keeps_a_worker_in_disruptions(rendered: dict[str, Objects]) -> None:
    usual, batches = rendered["as it comes"], rendered["batches"]
    assert ("Deployment", "worker-batch") not in usual
    for objects, names in ((usual, {"score", "explain"}), (batches, {"score", "explain", "batch"})):
        scaled = {name for kind, name in objects if kind == "ScaledObject"}
        assert scaled == {f"worker-{name}" for name in names}
        workers = {n for kind, n in objects if kind == "Deployment" and n.startswith("worker-")}
        budgets = {name for kind, name in objects if kind == "PodDisruptionBudget"}
        assert budgets == workers | {"api"}
        for name in workers:
            deployment = objects["Deployment", name]["spec"]
            assert ("replicas" in deployment) is (name not in scaled)


def test_batches_scale_on_the_orders_that_clients_wait_for(rendered: dict[str, Objects]) -> None:
    objects = rendered["batches"]
    [trigger] = objects["ScaledObject", "worker-batch"]["spec"]["triggers"]
    assert trigger["metadata"]["listName"] == "moderation:batch:out"
    asked = objects["TriggerAuthentication", trigger["authenticationRef"]["name"][18:]]
    keys = {one["parameter"]: one["key"] for one in asked["spec"]["secretTargetRef"]}
    assert keys == {"address": "broker-address", "password": "broker-password"}
    made = rendered["secrets of the chart, ingress, GPUs, traces"]
    [secret] = [one for (kind, _), one in made.items() if kind == "Secret"]
    assert set(keys.values()) <= set(secret["stringData"])
    assert secret["stringData"]["broker-address"] == "cache.example:6379"
    assert secret["stringData"]["broker-password"] == "word"


def test_who_scores_batches_has_neither_records_nor_uploads(rendered: dict[str, Objects]) -> None:
    spec = pod(rendered["batches"], "worker-batch")
    [worker] = spec["containers"]
    assert "MODERATION_DATABASE_URL" not in {one["name"] for one in worker["env"]}
    mounts = {one["name"]: one.get("readOnly", False) for one in worker["volumeMounts"]}
    assert mounts == {"scratch": False, "media": True, "cache": False}
    assert {one["name"] for one in spec["volumes"]} == set(mounts)
    policy = rendered["batches"]["NetworkPolicy", "database"]["spec"]["podSelector"]
    assert policy["matchExpressions"] == [
        {"key": "app.kubernetes.io/component", "operator": "NotIn", "values": ["worker-batch"]}
    ]
    everybody = rendered["batches"]["NetworkPolicy", "all"]["spec"]["egress"]
    assert 5432 not in {port["port"] for rule in everybody for port in rule["ports"]}


def test_pods_are_confined(rendered: dict[str, Objects]) -> None:
    for objects in rendered.values():
        for (kind, name), one in objects.items():
            if kind not in ("Deployment", "Job"):
                continue
            spec = one["spec"]["template"]["spec"]
            assert spec["securityContext"]["runAsNonRoot"], name
            assert not spec["automountServiceAccountToken"]
            for container in [*spec["containers"], *spec.get("initContainers", [])]:
                security = container["securityContext"]
                assert security["readOnlyRootFilesystem"]
                assert security["capabilities"] == {"drop": ["ALL"]}
                assert "memory" in container["resources"]["limits"]
