"""Settings come from `MODERATION_*` only, and refuse what they do not know."""

import os
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from pydantic import ValidationError

from encoders.base import ReadLimits
from moderation.errors import ConfigurationError
from moderation.settings import Settings, cores


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("MODERATION_"):
            monkeypatch.delenv(name)


def test_defaults_follow_xdg_and_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = Settings.load()
    assert settings.cache_dir == tmp_path / "real-moderation"
    assert settings.read_limits() == ReadLimits()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    database = tmp_path / "real-moderation" / "moderation.sqlite"
    assert Settings.load().database_url == f"sqlite:///{database}"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert Settings.load().cache_dir == Path.home() / ".cache" / "real-moderation"


def test_environment_then_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODERATION_DEVICE", "cuda:1")
    monkeypatch.setenv("MODERATION_DECODE_WALL_SECONDS", "7.5")
    monkeypatch.setenv("MODERATION_CACHE_DIR", "~/elsewhere")
    assert Settings.load().device == "cuda:1"
    assert Settings.load(device="cpu").device == "cpu"
    assert Settings.load().read_limits().wall_seconds == 7.5
    assert Settings.load().cache_dir == Path.home() / "elsewhere"


def test_every_limit_of_a_read_is_a_setting() -> None:
    narrow = {
        f"decode_{field.name}": type(field.default)(field.default // 2)
        for field in fields(ReadLimits)
    }
    limits = Settings.load(**narrow).read_limits()
    assert {f"decode_{name}": value for name, value in asdict(limits).items()} == narrow


def test_an_unknown_variable_is_named_beside_the_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODERATION_DEVISE", "cpu")
    with pytest.raises(ConfigurationError, match="MODERATION_DEVISE") as caught:
        Settings.load()
    assert "MODERATION_DEVICE" in caught.value.expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODERATION_WORKERS", "-1"),
        ("MODERATION_WORKERS", "many"),
        ("MODERATION_WORKERS", "1000000"),
        ("MODERATION_DEVICE", "gpu"),
        ("MODERATION_DECODE_MEMORY_BYTES", "0"),
    ],
)
def test_a_bad_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as caught:
        Settings.load()
    assert repr(value) in caught.value.found


def test_an_override_is_named_as_the_caller_named_it() -> None:
    with pytest.raises(ConfigurationError, match=r"^device is 'gpu'"):
        Settings.load(device="gpu")


def test_workers_are_bounded_by_the_cores_there_are() -> None:
    most = 4 * cores()
    assert Settings.load(workers=most).workers == most
    with pytest.raises(ConfigurationError, match=f"expected at most {most}, 4 a core"):
        Settings.load(workers=most + 1)


def test_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings.load().device = "cpu"  # type: ignore[misc]


def test_encoders_are_names_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODERATION_ENCODERS", "clip, acme")
    assert Settings.load().encoders == ("clip", "acme")
    for wrong in ("clip,,acme", "clip,clip", ","):
        monkeypatch.setenv("MODERATION_ENCODERS", wrong)
        with pytest.raises(ConfigurationError, match="each of them once"):
            Settings.load()
