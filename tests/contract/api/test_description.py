"""The OpenAPI description against what the server does, with data that schemathesis makes up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from moderation.access.keys import AccessRole
from moderation.api.permissions import MATRIX, PUBLIC
from moderation.database import open_engine, upgrade
from tests.api_application import application, make_keys

# The path of an item that nobody has is well-formed data, and refused all the same; a method that
# a path does not have is answered before anybody asks for a key.
NOT_OURS = [positive_data_acceptance, negative_data_rejection, unsupported_method]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """The description as schemathesis has it, and the key of an admin."""
    folder = tmp_path_factory.mktemp("api")
    engine = open_engine(f"sqlite:///{folder}/moderation.sqlite")
    upgrade(engine)
    app: FastAPI = application(engine, Path(folder))
    yield schemathesis.openapi.from_asgi("/openapi.json", app), make_keys(engine)[AccessRole.ADMIN]
    engine.dispose()


# Nothing can be wrong with a request that has nothing in it.
CASES = [
    pytest.param(method, path, mode, id=f"{mode.value} {method} {path}")
    for mode in GenerationMode
    for (method, path), roles in sorted(MATRIX.items())
    if not (mode.is_negative and roles is PUBLIC)
]


@pytest.mark.parametrize(("method", "path", "mode"), CASES)
def test_every_answer_is_documented_and_none_is_a_fault(
    served: tuple[Any, str], method: str, path: str, mode: GenerationMode
) -> None:
    schema, key = served

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
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=NOT_OURS)

    run()
