"""The OpenAPI description against what the server does, with data that schemathesis makes up."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from moderation.access.keys import AccessRole
from moderation.database import open_engine, upgrade
from tests.api_application import application, make_keys


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> "object":
    folder = tmp_path_factory.mktemp("api")
    engine = open_engine(f"sqlite:///{folder}/moderation.sqlite")
    upgrade(engine)
    app = application(engine, Path(folder))
    app.state.key = make_keys(engine)[AccessRole.ADMIN]
    return schemathesis.openapi.from_asgi("/openapi.json", app)


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_documented_and_none_is_a_fault(case: schemathesis.Case) -> None:
    case.headers["Authorization"] = f"Bearer {case.operation.app.state.key}"
    case.call_and_validate(
        excluded_checks=[positive_data_acceptance, negative_data_rejection, unsupported_method]
    )
