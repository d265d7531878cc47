"""Deployment files against the program: settings, commands, images, and what confines them."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from moderation.settings import PREFIX, Settings
from workers.batches.signs import OUT
from workers.pools import PORTS_A_QUEUE
from workers.queues import Queue

DEPLOY = Path("deploy")
DOCKERFILES = sorted((DEPLOY / "docker").glob("*.Dockerfile"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
CHART = DEPLOY / "helm"
TEMPLATES = sorted((CHART / "templates").iterdir())
# Of `moderation.cli` and of the plugins in pyproject.toml.
PLUGINS = tomllib.loads(Path("pyproject.toml").read_text())["project"]["entry-points"]
FROM_OUTSIDE = {"postgres", "redis", "prometheus", "grafana"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def commands() -> set[str]:
    """Names of the program's commands."""
    from moderation.cli.root import app

    names = {one.name for one in app.registered_commands if one.name}
    names |= {one.name for one in app.registered_groups if one.name}
    return names | set(PLUGINS["moderation.commands"])


# Of backup.sh alone.
OF_SCRIPTS = {"MODERATION_BACKUP_BEFORE"}


@pytest.mark.parametrize(
    "path",
    [path for path in DEPLOY.rglob("*") if path.is_file() and "__pycache__" not in path.parts],
    ids=str,
)
def test_settings_that_are_named_exist(path: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", path.read_text()))
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert named <= known | OF_SCRIPTS


def test_commands_that_are_started_exist(services: dict[str, Any]) -> None:
    started = {
        (one["command"][0] if "command" in one else "serve")
        for name, one in services.items()
        if name not in FROM_OUTSIDE
    }
    for path in UNITS:
        started |= set(re.findall(r"^ExecStart=\S+/moderation (\S+)", path.read_text(), re.M))
    for path in TEMPLATES:
        started |= set(re.findall(r"args: \[([a-z]+)", path.read_text()))
    for path in DOCKERFILES:
        started |= set(re.findall(r'^CMD \["(\w+)"', path.read_text(), re.M))
    assert {"serve", "worker", "beat", "migrate", "models"} <= started
    assert started <= commands()


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_an_image_is_pinned_unprivileged_and_watched(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"^ARG PYTHON_IMAGE=\S+:\d+\.\d+\.\d+-\S+$", text, re.M)
    assert set(re.findall(r"^FROM (\S+)", text, re.M)) == {"${PYTHON_IMAGE}"}
    assert re.findall(r"^USER (\S+)", text, re.M)[-1] == "10001:10001"
    assert "HEALTHCHECK" in text
    assert "-c deploy/constraints.txt" in text
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        for source in sources.split():
            assert Path(source).exists()
            assert f"!{source}\n" in Path(".dockerignore").read_text()
    hadolint = shutil.which("hadolint")
    if hadolint is not None:
        done = subprocess.run([hadolint, path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_the_interface_runs_without_what_scores(tmp_path: Path) -> None:
    """With a broker, none of the packages of the extra `judge` is needed."""
    extras = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
    ours = {
        re.split(r"[\[>=;]", one)[0] for name in ("service", "postgres") for one in extras[name]
    }
    heavy = {re.split(r"[\[>=;]", one)[0].replace("-", "_") for one in extras["judge"]} - ours
    modules = heavy - {"scipy"} | {"open_clip", "whisper", "PIL", "sklearn"}
    code = f"""
import sys
for name in {sorted(modules)}:
    sys.modules[name] = None
from fastapi.testclient import TestClient
from moderation.api.serving import serving
from moderation.app import build_engine
from moderation.service import build_bell
from moderation.settings import Settings
settings = Settings.load(data_dir={str(tmp_path)!r}, broker_url="redis://127.0.0.1:1/0")
engine = build_engine(settings)
with TestClient(serving(settings, engine, None, build_bell(settings))) as client:
    print(client.get("/health/ready").text)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == '{"is_ready":true,"failing":[]}', done.stderr[-2000:]


def test_services_are_pinned_confined_and_watched(services: dict[str, Any]) -> None:
    for name, one in services.items():
        image, _, tag = one["image"].rpartition(":")
        assert image
        assert re.match(r"v?\d+\.\d+", tag), name
        assert "healthcheck" in one or name not in FROM_OUTSIDE
        assert "no-new-privileges:true" in one["security_opt"]
        assert one["restart"] in ("unless-stopped", "no")
        if name not in FROM_OUTSIDE:
            assert one["read_only"]
            assert one["cap_drop"] == ["ALL"]
    published = [port for one in services.values() for port in one.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert "noeviction" in str(services["redis"]["command"])


def test_a_compose_file_names_only_what_it_has(services: dict[str, Any]) -> None:
    whole = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name, one in services.items():
        assert set(one.get("depends_on", {})) <= set(services) - {name}
        assert set(one["networks"]) <= set(whole["networks"])
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("${"):
                continue  # a folder of whoever deploys
            assert source in whole["volumes"] or (DEPLOY / source).exists()
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    offered = re.findall(r"^([A-Z_]+)=", (DEPLOY / "compose.env.example").read_text(), re.M)
    assert asked == set(offered)
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())["scrape_configs"]
    targets = [t for job in scraped for s in job.get("static_configs", []) for t in s["targets"]]
    names = [n for job in scraped for s in job.get("dns_sd_configs", []) for n in s["names"]]
    assert {target.split(":")[0] for target in targets} | set(names) <= set(services)


METRICS = 9100
"""`MODERATION_METRICS_PORT` in all of the files."""
PORTS = {str(queue): METRICS + PORTS_A_QUEUE * (1 + place) for place, queue in enumerate(Queue)}


def test_every_queue_has_a_worker_that_is_scraped(services: dict[str, Any]) -> None:
    started = {one["command"][2] for name, one in services.items() if name.startswith("worker-")}
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert started == set(values["workers"]) == set(Queue)
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())["scrape_configs"]
    asked = {d["names"][0]: d["port"] for job in scraped for d in job.get("dns_sd_configs", [])}
    assert asked == {f"worker-{queue}": port for queue, port in PORTS.items()}
    ports = re.search(r"\$ports := dict (.+?) \}\}", (CHART / "templates/workers.yaml").read_text())
    assert ports is not None
    named = re.findall(r'"(\w+)" (\d+)', ports.group(1))
    assert {queue: int(port) for queue, port in named} == PORTS
    last = max(PORTS.values()) + PORTS_A_QUEUE - 1
    assert f"endPort: {last}," in (CHART / "templates/network.yaml").read_text()
    for path in DOCKERFILES:
        if "worker" in path.stem:
            assert f"EXPOSE {min(PORTS.values())}-{last}" in path.read_text()


def test_who_scores_batches_reads_their_files_and_nothing_else(services: dict[str, Any]) -> None:
    """Whoever may write to the broker has it score any file that it can read."""
    one = services["worker-batch"]
    assert one["profiles"] == ["batch"]
    assert "MODERATION_DATABASE_URL" not in one["environment"]
    assert all(not volume.startswith("data:") for volume in one["volumes"])
    assert [volume for volume in one["volumes"] if volume.endswith("/media:ro")]
    drop_in = (DEPLOY / "systemd/moderation-worker@batch.service.d/batch.conf").read_text()
    assert "UnsetEnvironment=MODERATION_DATABASE_URL" in drop_in
    assert "InaccessiblePaths=-/var/lib/real-moderation" in drop_in
    assert f"listName: {OUT}\n" in (CHART / "templates/workers.yaml").read_text()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_confined(path: Path) -> None:
    lines = path.read_text().splitlines()
    for line in ("User=moderation", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077"):
        assert line in lines
    assert "CapabilityBoundingSet=" in lines
    # The decoder child leaves the network by a namespace of its own.
    assert not any(line.startswith("RestrictNamespaces=") for line in lines)


def test_templates_use_values_that_exist() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    used = set()
    for path in TEMPLATES:
        used |= set(re.findall(r"\.Values((?:\.\w+)+)", path.read_text()))
    assert len(used) > 20
    for name in used:
        found: Any = values
        for step in name.strip(".").split("."):
            assert step in found, name
            found = found[step]
    for path in TEMPLATES:
        text = path.read_text()
        defined = set(re.findall(r'include "([\w.]+)"', text))
        assert all(f'define "{name}"' in _all_templates() for name in defined)


def _all_templates() -> str:
    return "".join(path.read_text() for path in TEMPLATES)
