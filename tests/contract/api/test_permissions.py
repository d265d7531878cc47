"""Who may use which route: every route of the description, with every role."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.access.role_sets import PUBLIC
from moderation.api.application import operations
from moderation.api.permissions import MATRIX
from tests.api_application import application, client_of, make_keys


def _path(template: str) -> str:
    return (
        re.sub(r"\{sha256\}", "a" * 64, template)
        .replace("{number}", "1")
        .replace("{", "")
        .replace("}", "")
    )


def test_every_route_lets_in_the_roles_of_the_matrix_and_no_other(
    engine: Engine, tmp_path: Path
) -> None:
    app = application(engine, tmp_path)
    keys = make_keys(engine)
    assert operations(app) == set(MATRIX)
    clients = {role: client_of(app, key) for role, key in keys.items()}
    stranger = client_of(app)
    for (method, template), allowed in MATRIX.items():
        place = f"{method} {template}"
        without = stranger.request(method, _path(template))
        assert (without.status_code == 401) == (allowed is not PUBLIC), place
        for role in AccessRole:
            answer = clients[role].request(method, _path(template))
            assert answer.status_code < 500, place
            if allowed is PUBLIC or role in allowed:
                assert answer.status_code != 401, place
                assert b"role_refused" not in answer.content, place
            else:
                assert answer.status_code == 403, f"{place} as {role}"
                assert answer.json()["code"] == "role_refused"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        "Basic abc",
        "Bearer rmk_000000000000_" + "A" * 43,
    ],
)
def test_a_key_that_is_none_is_refused_with_the_scheme(
    engine: Engine, tmp_path: Path, header: str
) -> None:
    answer = client_of(application(engine, tmp_path)).get(
        "/v1/me", headers={"Authorization": header}
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert set(answer.json()) == {"code", "found", "expected", "remedy", "request_id"}
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
