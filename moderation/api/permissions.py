"""Which role may use which route: the whole matrix. A route that is not in it does not start."""

from collections.abc import Mapping

from moderation.access.keys import AccessRole

UPLOADER, REVIEWER, LEAD, ADMIN = AccessRole

EVERYBODY = frozenset(AccessRole)
SUBMITTERS = frozenset({UPLOADER, LEAD, ADMIN})
STAFF = frozenset({REVIEWER, LEAD, ADMIN})
LEADERS = frozenset({LEAD, ADMIN})
PUBLIC: frozenset[AccessRole] = frozenset()
"""No key is asked for."""

MATRIX: Mapping[tuple[str, str], frozenset[AccessRole]] = {
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    ("GET", "/metrics"): LEADERS,
    ("GET", "/v1/me"): EVERYBODY,
    ("POST", "/v1/items"): SUBMITTERS,
    ("POST", "/v1/references"): SUBMITTERS,
    ("POST", "/v1/references/batches"): SUBMITTERS,
    ("GET", "/v1/uploads/{sha256}"): SUBMITTERS,
    ("PUT", "/v1/uploads/{sha256}"): SUBMITTERS,
    ("GET", "/v1/items"): EVERYBODY,
    ("GET", "/v1/items/{item_id}"): EVERYBODY,
    ("GET", "/v1/items/{item_id}/result"): EVERYBODY,
    ("GET", "/v1/items/{item_id}/evidence"): STAFF,
    ("GET", "/v1/items/{item_id}/materials"): STAFF,
    ("GET", "/v1/items/{item_id}/materials/{name}"): STAFF,
    ("GET", "/v1/items/{item_id}/media"): STAFF,
    ("PUT", "/v1/items/{item_id}/views"): SUBMITTERS,
    ("POST", "/v1/items/{item_id}/reports"): EVERYBODY,
    ("GET", "/v1/queue/tasks"): LEADERS,
    ("GET", "/v1/queue/tasks/{task_id}"): STAFF,
    ("GET", "/v1/queue/next"): STAFF,
    ("POST", "/v1/queue/claims"): STAFF,
    ("POST", "/v1/leases/renew"): STAFF,
    ("POST", "/v1/leases/release"): STAFF,
    ("POST", "/v1/leases/skip"): STAFF,
    ("POST", "/v1/leases/escalate"): STAFF,
    ("POST", "/v1/decisions"): STAFF,
    ("GET", "/v1/decisions"): STAFF,
    ("POST", "/v1/decisions/{decision_id}/undo"): STAFF,
    ("POST", "/v1/golden"): LEADERS,
    ("GET", "/v1/golden"): LEADERS,
    ("DELETE", "/v1/golden/{golden_id}"): LEADERS,
    ("GET", "/v1/reviewers/me"): STAFF,
    ("PUT", "/v1/reviewers/me/wellness"): STAFF,
    ("POST", "/v1/appeals"): SUBMITTERS,
    ("GET", "/v1/appeals"): LEADERS,
    ("GET", "/v1/appeals/{appeal_id}"): SUBMITTERS,
    ("GET", "/v1/policy"): EVERYBODY,
    ("POST", "/v1/policy/check"): LEADERS,
    ("POST", "/v1/policy/diff"): LEADERS,
    ("POST", "/v1/policy/replay"): LEADERS,
    ("POST", "/v1/policy/activations"): LEADERS,
    ("GET", "/v1/policy/activations"): LEADERS,
    ("GET", "/v1/statistics/service-level"): LEADERS,
    ("GET", "/v1/statistics/agreement"): LEADERS,
    ("GET", "/v1/statistics/calibration"): LEADERS,
    ("GET", "/v1/audit/records"): LEADERS,
    ("GET", "/v1/audit/verification"): LEADERS,
    ("GET", "/v1/audit/export"): LEADERS,
    ("GET", "/v1/statements"): LEADERS,
    ("POST", "/v1/statements/exports"): LEADERS,
    ("GET", "/v1/statements/exports/{number}"): LEADERS,
    ("POST", "/v1/webhooks"): LEADERS,
    ("GET", "/v1/webhooks"): LEADERS,
    ("GET", "/v1/webhooks/{webhook_id}"): LEADERS,
    ("PUT", "/v1/webhooks/{webhook_id}"): LEADERS,
    ("DELETE", "/v1/webhooks/{webhook_id}"): LEADERS,
    ("GET", "/v1/webhooks/{webhook_id}/deliveries"): LEADERS,
}
