"""What is secret stays out of logs, answers and the file system's names."""

import logging
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.cli.checks import settings_findings
from moderation.database import open_engine
from moderation.database.errors import DatabaseError
from moderation.settings import Settings, without_password
from tests.api_application import application, client_of, make_keys

NAMES = [
    "../../escaped.mp4",
    "/etc/cron.d/mine",
    "a\0b.mp4",
    "con.mp4\n.sh",
    "x" * 5000,
    "\N{RIGHT-TO-LEFT OVERRIDE}4pm.exe",
    "~root/.ssh/authorized_keys",
]


def test_no_secret_is_logged(
    engine: Engine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every logger at its most talkative, over requests that work, that fail and that break."""
    caplog.set_level(logging.DEBUG)
    app = application(engine, tmp_path)
    keys = make_keys(engine)
    lead = client_of(app, keys[AccessRole.LEAD])
    hook = lead.post(
        "/v1/webhooks",
        json={"url": "https://example.org/hook?token=t0k3n-of-theirs", "events": ["item.routed"]},
    ).json()
    lead.post("/v1/items", content=b"bytes of a person", params={"name": "anna-schmidt.mp4"})
    lead.get("/v1/items/none")
    client_of(app, keys[AccessRole.LEAD][:-1] + "0").get("/v1/me")
    monkeypatch.delattr(app.state, "registry")
    assert lead.get("/metrics").status_code == 500  # so a traceback is logged
    monkeypatch.setenv("MODERATION_API_KEY", keys[AccessRole.ADMIN])
    monkeypatch.setenv("MODERATION_DATABASE_URL", "postgresql://us:hunter2@db/name")
    logging.getLogger("moderation").warning("%s", Settings.load())
    logging.getLogger("moderation").warning("%s", engine)
    with pytest.raises(DatabaseError) as caught:
        open_engine("mysql://us:hunter2@db/name")
    logging.getLogger("moderation").warning("%s", caught.value)

    secrets = [text.split("_", 2)[2] for text in keys.values()]
    secrets += [hook["secret"], hook["secret"].removeprefix("whsec_"), "t0k3n-of-theirs", "hunter2"]
    # The test's own client speaks of what it sends.
    records = [one for one in caplog.records if not one.name.startswith("http")]
    formatter = logging.Formatter()
    told = "\n".join(formatter.format(one) for one in records)
    assert "request" in told
    for secret in [*secrets, "bytes of a person", "anna-schmidt"]:
        assert len(secret) > 6
        assert secret not in told


def test_the_name_of_an_upload_touches_no_file(engine: Engine, tmp_path: Path) -> None:
    app = application(engine, tmp_path / "inner" / "data")
    sender = client_of(app, make_keys(engine)[AccessRole.UPLOADER])
    before = files_below(tmp_path)
    expected = set()
    for name in NAMES:
        content = f"a film called {name!r}".encode()
        digest = sha256(content).hexdigest()
        answer = sender.post("/v1/items", content=content, params={"name": name})
        assert answer.status_code == (422 if "\0" in name else 201)
        if answer.status_code == 201:
            expected.add(f"inner/data/blobs/{digest[:2]}/{digest}")
    assert len(expected) >= 5
    assert files_below(tmp_path) - before == expected


def files_below(folder: Path) -> set[str]:
    """Names of all files but locks, which are named by hash as well."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if "lock" not in name}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://us:hunter2@db/name", "postgresql://us:***@db/name"),
        ("redis://:hunter2@db:6379/0", "redis://:***@db:6379/0"),
        ("redis://:hun@ter2@db:6379/0", "redis://:***@db:6379/0"),
        ("postgresql://us@db/name", "postgresql://us@db/name"),
        ("sqlite:////data/moderation.sqlite", "sqlite:////data/moderation.sqlite"),
    ],
)
def test_a_password_in_a_url_is_shown_as_stars(url: str, shown: str) -> None:
    assert without_password(url) == shown
    settings = Settings.load(database_url=url, api_key="s3cr3t-of-ours")
    assert shown in repr(settings)
    assert shown in str(settings)
    (told,) = settings_findings(settings)
    assert shown in told.detail
    everything = f"{settings!r} {settings} {told.detail}"
    assert "ter2" not in everything
    assert "s3cr3t" not in everything
