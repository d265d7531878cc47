"""Plugins are found through real installed metadata."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from moderation.errors import PluginError
from moderation.registry import PluginGroup, load, plugins

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution with entry points into a folder on the module path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(distribution: str, version: str, entries: str) -> None:
        info = tmp_path / f"{distribution}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        info.joinpath("entry_points.txt").write_text(entries)

    return write


def test_lists_and_loads_what_a_distribution_offers(install: Install, tmp_path: Path) -> None:
    tmp_path.joinpath("acme_calibration.py").write_text("class Platt:\n    slope = 2\n")
    install(
        "acme",
        "1.4",
        "[moderation.calibrators]\nzeta = acme_calibration:Platt\nacme = json:dumps\n",
    )
    found = [p for p in plugins(PluginGroup.CALIBRATORS) if p.distribution == "acme"]
    assert [(p.name, p.value, p.version) for p in found] == [
        ("acme", "json:dumps", "1.4"),
        ("zeta", "acme_calibration:Platt", "1.4"),
    ]
    assert load(PluginGroup.CALIBRATORS, "acme") is json.dumps
    assert load(PluginGroup.CALIBRATORS, "zeta").slope == 2


def test_listing_imports_nothing(install: Install, tmp_path: Path) -> None:
    tmp_path.joinpath("acme_explosive.py").write_text("raise OSError('imported')\n")
    install("acme", "1.0", "[moderation.judges]\nbad = acme_explosive:Judge\n")
    assert "bad" in [p.name for p in plugins(PluginGroup.JUDGES)]
    with pytest.raises(PluginError, match=r"acme 1\.0 does not load: OSError: imported"):
        load(PluginGroup.JUDGES, "bad")


def test_a_doubled_name_names_both_distributions(install: Install) -> None:
    install("acme", "1.0", "[moderation.dispatchers]\nqueue = json:loads\n")
    install("bolt", "2.0", "[moderation.dispatchers]\nqueue = json:dumps\n")
    with pytest.raises(PluginError, match="'queue'") as caught:
        plugins(PluginGroup.DISPATCHERS)
    assert "acme 1.0" in str(caught.value)
    assert "bolt 2.0" in str(caught.value)


def test_an_unknown_name_lists_the_known_ones(install: Install) -> None:
    install("acme", "1.0", "[moderation.readers]\nfirst_known = json:loads\n")
    with pytest.raises(PluginError, match="first_known"):
        load(PluginGroup.READERS, "imaginary")


def test_an_unknown_group_lists_the_groups() -> None:
    with pytest.raises(PluginError, match=r"moderation\.judges"):
        plugins("moderation.oracles")
