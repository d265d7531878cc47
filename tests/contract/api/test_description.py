"""The OpenAPI description against what the server does, with data that schemathesis makes up."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from moderation.access.keys import AccessRole
from moderation.access.role_sets import PUBLIC
from moderation.api.permissions import MATRIX
from moderation.database import open_engine, upgrade
from moderation.policy.loading import DEFAULT
from tests.api_application import application, client_of, make_keys

# What a well-formed request can meet beside success: a role, a thing that is not there, a state
# that does not fit, a version that is not the newest. Not among them: 400, 413, 415, 422, 428.
WELL_FORMED = ["2xx", "403", "404", "409", "412"]
# 403 is of files by URL, which this application fetches none of.
REFUSED = ["400", "403", "404", "405", "413", "415", "416", "422", "428"]
AT = "2026-03-01T12:00:00Z"
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    """The application, and the key of an admin."""
    folder = tmp_path_factory.mktemp("api")
    engine = open_engine(f"sqlite:///{folder}/moderation.sqlite")
    upgrade(engine)
    yield application(engine, Path(folder)), make_keys(engine)[AccessRole.ADMIN]
    engine.dispose()


@pytest.fixture(scope="module")
def schema(app: tuple[FastAPI, str]) -> Any:
    """The description as schemathesis has it."""
    found = schemathesis.openapi.from_asgi("/openapi.json", app[0])
    found.config.checks.positive_data_acceptance.expected_statuses = WELL_FORMED
    found.config.checks.negative_data_rejection.expected_statuses = REFUSED
    return found


# Nothing can be wrong with a request that has nothing in it.
CASES = [
    pytest.param(method, path, mode, id=f"{mode.value} {method} {path}")
    for mode in GenerationMode
    for (method, path), roles in sorted(MATRIX.items())
    if not (mode.is_negative and roles is PUBLIC)
]


@pytest.mark.parametrize(("method", "path", "mode"), CASES)
def test_every_answer_is_documented_and_none_is_a_fault(
    app: tuple[FastAPI, str], schema: Any, method: str, path: str, mode: GenerationMode
) -> None:
    headers = {"Authorization": f"Bearer {app[1]}"}

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: schemathesis.Case) -> None:
        if mode.is_positive:
            say_what_no_schema_can(case)
        # A key that was left out to be wrong is put back: then nothing may be wrong any more.
        is_mended = mode.is_negative and "Authorization" not in case.headers
        case.call_and_validate(
            headers=headers,
            excluded_checks=[negative_data_rejection] if is_mended else [],
            timeout=300,  # however busy the machine is, an answer comes
        )

    run()


def say_what_no_schema_can(case: schemathesis.Case) -> None:
    """Times of this age, no made-up cursor, rules that are a policy, digests that fit."""
    case.query.pop("cursor", None)
    case.query |= {name: AT for name in ("since", "until") if name in case.query}
    if isinstance(case.body, dict):
        for name, value in case.body.items():
            if name in ("toml", "against"):
                case.body[name] = DEFAULT.read_text(encoding="utf-8")
            elif name == "url":
                case.body[name] = f"https://media.example.org/{sha256(value.encode()).hexdigest()}"
    if case.media_type == "application/octet-stream":
        content = case.body if isinstance(case.body, bytes) else str(case.body).encode()
        digest = sha256(content).hexdigest()
        if "sha256" in case.path_parameters:
            case.path_parameters["sha256"] = digest
            case.headers["Upload-Length"] = str(max(1, len(content)))
            case.headers["Upload-Offset"] = "0"
        elif "Content-SHA256" in case.headers:
            case.headers["Content-SHA256"] = digest
        case.body = content


@pytest.mark.parametrize("path", sorted({path for _, path in MATRIX}))
def test_other_methods_are_refused(app: tuple[FastAPI, str], path: str) -> None:
    """What schemathesis calls `unsupported_method`, which it looks at in its own runner alone."""
    client: TestClient = client_of(*app)
    there = {method for method, known in MATRIX if known == path}
    for method in METHODS:
        if method in there:
            continue
        answer = client.request(method, path.replace("{", "").replace("}", ""))
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), method
        assert set(answer.headers["Allow"].split(", ")) <= there | {"HEAD"}
