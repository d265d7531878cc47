"""The one shape of errors, rates, and metrics."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.access.rate_limit import Rate
from moderation.access.role_sets import PUBLIC
from moderation.api.permissions import MATRIX
from moderation.route_services import RouteLimits
from tests.api_application import application, client_of, make_keys

SHAPE = {"code", "found", "expected", "remedy", "request_id"}


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("PATCH", "/v1/me", {}, 405, "method_not_allowed"),
        ("GET", "/v1/items/none", {}, 404, "unknown_item"),
        ("GET", "/v1/items?limit=0", {}, 422, "invalid_request"),
        ("POST", "/v1/webhooks", {"content": b"{", "headers": {"Content-Type": "application/json"}},
         422, "invalid_request"),
        ("POST", "/v1/webhooks", {"content": b"{}", "headers": {"Content-Type": "text/xml"}},
         415, "unsupported_media_type"),
        ("POST", "/v1/policy/check", {"json": {"toml": "x" * 3000}}, 413, "body_too_large"),
        ("POST", "/v1/policy/check", {"json": {"toml": "x = "}}, 422, "policy"),
        ("POST", "/v1/references", {"json": {"url": "http://a.example/"}}, 403, "switched_off"),
        ("POST", "/v1/policy/activations", {"json": {"toml": ""}}, 428, "precondition_required"),
    ],
)  # fmt: skip
def test_every_error_has_one_shape(
    engine: Engine,
    tmp_path: Path,
    method: str,
    path: str,
    options: dict[str, object],
    status: int,
    code: str,
) -> None:
    app = application(engine, tmp_path, limits=RouteLimits(body_bytes_max=2000))
    admin = client_of(app, make_keys(engine)[AccessRole.ADMIN])
    answer = admin.request(method, path, **options)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert set(answer.json()) == SHAPE
    assert answer.json()["code"] == code
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_plain_request_id_of_the_caller_is_kept(engine: Engine, tmp_path: Path) -> None:
    stranger = client_of(application(engine, tmp_path))
    for given, is_kept in (("abc-1", True), ("a b", False), ("x" * 65, False)):
        answer = stranger.get("/health/live", headers={"X-Request-ID": given})
        assert (answer.headers["x-request-id"] == given) is is_kept


def test_a_fault_tells_nothing_but_its_number(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application(engine, tmp_path)
    admin = client_of(app, make_keys(engine)[AccessRole.ADMIN])
    monkeypatch.delattr(app.state, "registry")
    answer = admin.get("/metrics")
    assert answer.status_code == 500
    assert set(answer.json()) == SHAPE
    assert "registry" not in answer.text


def test_a_key_has_its_rate_and_no_other_key_that_one(engine: Engine, tmp_path: Path) -> None:
    app = application(engine, tmp_path, rate=Rate(per_second=0.001, burst=2))
    keys = make_keys(engine)
    lead, admin = client_of(app, keys[AccessRole.LEAD]), client_of(app, keys[AccessRole.ADMIN])
    assert [lead.get("/v1/me").status_code for _ in range(3)] == [200, 200, 429]
    refused = lead.get("/v1/me")
    assert refused.json()["code"] == "too_many_requests"
    assert int(refused.headers["retry-after"]) >= 1
    assert admin.get("/v1/me").status_code == 200


def test_the_description_tells_of_rates_on_every_route_with_a_key(
    engine: Engine, tmp_path: Path
) -> None:
    app = application(engine, tmp_path)
    paths = app.openapi()["paths"]
    for (method, path), roles in MATRIX.items():
        answers = paths[path][method.lower()]["responses"]
        assert ("429" in answers) == (roles is not PUBLIC), (method, path)
        if roles is not PUBLIC:
            assert "Retry-After" in answers["429"]["headers"]


def test_metrics_count_by_route(engine: Engine, tmp_path: Path) -> None:
    app = application(engine, tmp_path)
    lead = client_of(app, make_keys(engine)[AccessRole.LEAD])
    lead.get("/v1/items/one")
    lead.get("/v1/items/two")
    text = lead.get("/metrics").text
    counted = (
        'moderation_http_requests_total{method="GET",route="/v1/items/{item_id}",status="404"}'
    )
    assert f"{counted} 2.0" in text


def test_a_policy_is_put_into_force_from_what_was(engine: Engine, tmp_path: Path) -> None:
    lead = client_of(application(engine, tmp_path), make_keys(engine)[AccessRole.LEAD])
    shipped = Path("moderation/policy/default.toml").read_text(encoding="utf-8")
    read = lead.get("/v1/policy")
    tag = {"If-Match": read.headers["etag"]}
    version = f'version = "{read.json()["policy"]["version"]}"'
    newer = {"toml": shipped.replace(version, 'version = "99"', 1)}
    differing = lead.post("/v1/policy/diff", json=newer).json()
    assert [one["key"] for one in differing["differences"]] == ["version"]
    same = {"toml": shipped + "\n# a comment\n"}
    refused = lead.post("/v1/policy/activations", json=same, headers=tag)
    assert (refused.status_code, refused.json()["code"]) == (409, "policy_changed")
    made = lead.post("/v1/policy/activations", json=newer, headers=tag)
    assert (made.status_code, made.json()["number"]) == (201, 1)
    late = lead.post("/v1/policy/activations", json=newer, headers=tag)
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert lead.get("/v1/policy").json()["id"].endswith("@99")
    [told] = lead.get("/v1/audit/records", params={"kind": "policy_changed"}).json()["items"]
    assert (told["actor"], told["body"]["policy"]) == ("lead:lead", "default:99")
    items = [{"name": str(k), "probability": k / 10} for k in range(10)]
    bounds = {"allow_below": 0.2, "enforce_above": 0.8}
    tried = lead.post("/v1/policy/replay", json=newer | {"items": items, "bounds": bounds}).json()
    assert sum(tried["after"][name] for name in ("allowed", "reviewed", "enforced")) == 10
    assert tried["changes"] == []
