"""What dashboards and alerts ask for is exported, and what is exported is shown somewhere."""

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from moderation.access.keys import AccessRole
from moderation.database import open_engine, upgrade
from tests.api_application import application, client_of, make_keys

DEPLOY = Path("deploy")
DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
SUFFIXES = ("_bucket", "_sum", "_count", "_total")
NAME = re.compile(r"\bmoderation_[a-z_]+")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the families at `/metrics`."""
    folder = tmp_path_factory.mktemp("metrics")
    engine = open_engine(f"sqlite:///{folder}/moderation.sqlite")
    upgrade(engine)
    app = application(engine, folder)
    text = client_of(app, make_keys(engine)[AccessRole.LEAD]).get("/metrics").text
    assert isinstance(app.state.registry, CollectorRegistry)
    return {family.name for family in text_string_to_metric_families(text)}


def expressions(path: Path) -> list[str]:
    content = path.read_text()
    if path.suffix == ".json":
        panels = json.loads(content)["panels"]
        return [target["expr"] for panel in panels for target in panel["targets"]]
    groups = yaml.safe_load(content)["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def families(path: Path) -> set[str]:
    found = {name for text in expressions(path) for name in NAME.findall(text)}
    return {next((n.removesuffix(s) for s in SUFFIXES if n.endswith(s)), n) for n in found}


@pytest.mark.parametrize(
    "path", [*DASHBOARDS, DEPLOY / "prometheus/alerts.yaml"], ids=lambda path: path.stem
)
def test_every_measure_that_is_asked_for_is_exported(path: Path, exported: set[str]) -> None:
    asked = families(path)
    assert len(asked) >= 5
    assert asked <= exported


def test_every_measure_is_shown_or_watched(exported: set[str]) -> None:
    shown = set().union(*map(families, [*DASHBOARDS, DEPLOY / "prometheus/alerts.yaml"]))
    assert exported <= shown


def test_dashboards_are_those_that_are_written(tmp_path: Path) -> None:
    runpy.run_path("deploy/grafana/write_dashboards.py")["main"](tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_text() for path in DASHBOARDS}


def test_alerts_say_what_to_do() -> None:
    groups = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}
        for name in re.findall(r"docs/[a-z-]+\.md", rule["annotations"]["action"]):
            assert Path(name).is_file()


def test_alerts_fire_when_they_should() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: Debian's package prometheus has one")
    for command in (["check", "config", "prometheus.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run(
            [promtool, *command], cwd=DEPLOY / "prometheus", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
