"""Which role may use which page: the whole matrix. A page that is not in it does not start."""

from collections.abc import Mapping

from moderation.access.keys import AccessRole
from moderation.access.role_sets import EVERYBODY, LEADERS, PUBLIC, STAFF, SUBMITTERS

MATRIX: Mapping[tuple[str, str], frozenset[AccessRole]] = {
    ("GET", "/console"): EVERYBODY,
    ("GET", "/console/login"): PUBLIC,
    ("POST", "/console/login"): PUBLIC,
    ("POST", "/console/logout"): EVERYBODY,
    ("GET", "/console/static/{name:path}"): PUBLIC,
    ("GET", "/console/queue"): STAFF,
    ("GET", "/console/queue/ahead"): STAFF,
    ("GET", "/console/queue/counts"): STAFF,
    ("GET", "/console/queue/tasks"): LEADERS,
    ("GET", "/console/queue/tasks/counts"): LEADERS,
    ("POST", "/console/queue/views"): LEADERS,
    ("POST", "/console/queue/views/{view_id}/remove"): LEADERS,
    ("POST", "/console/queue/selection"): LEADERS,
    ("POST", "/console/queue/selection/decisions"): LEADERS,
    ("GET", "/console/settings"): EVERYBODY,
    ("POST", "/console/settings/wellness"): STAFF,
    ("POST", "/console/settings/appearance"): EVERYBODY,
    ("POST", "/console/settings/keys"): EVERYBODY,
    ("GET", "/console/uploads"): SUBMITTERS,
    ("POST", "/console/uploads"): SUBMITTERS,
    ("GET", "/console/uploads/table"): SUBMITTERS,
    ("GET", "/console/uploads/results.{form}"): SUBMITTERS,
    ("GET", "/console/uploads/{item_id}"): SUBMITTERS,
    ("POST", "/console/uploads/{item_id}/appeals"): SUBMITTERS,
    ("POST", "/console/references"): SUBMITTERS,
    ("POST", "/console/references/fetch"): SUBMITTERS,
    ("POST", "/console/claims"): STAFF,
    ("GET", "/console/tasks/{task_id}"): STAFF,
    ("GET", "/console/tasks/{task_id}/media"): STAFF,
    ("GET", "/console/tasks/{task_id}/evidence"): STAFF,
    ("GET", "/console/tasks/{task_id}/materials/{name}"): STAFF,
    ("GET", "/console/tasks/{task_id}/captions"): STAFF,
    ("POST", "/console/tasks/{task_id}/view"): STAFF,
    ("POST", "/console/tasks/{task_id}/decision"): STAFF,
    ("POST", "/console/tasks/{task_id}/renew"): STAFF,
    ("POST", "/console/tasks/{task_id}/leave"): STAFF,
    ("POST", "/console/tasks/{task_id}/release"): STAFF,
    ("POST", "/console/tasks/{task_id}/skip"): STAFF,
    ("POST", "/console/tasks/{task_id}/escalate"): STAFF,
    ("POST", "/console/decisions/{decision_id}/undo"): STAFF,
    ("GET", "/console/lead"): LEADERS,
    ("GET", "/console/lead/team"): LEADERS,
    ("GET", "/console/lead/golden"): LEADERS,
    ("GET", "/console/lead/service"): LEADERS,
    ("GET", "/console/lead/calibration"): LEADERS,
    ("GET", "/console/lead/policy"): LEADERS,
    ("POST", "/console/lead/policy/trials"): LEADERS,
    ("POST", "/console/lead/policy/activations"): LEADERS,
    ("GET", "/console/lead/appeals"): LEADERS,
    ("GET", "/console/lead/appeals/{appeal_id}"): LEADERS,
    ("GET", "/console/lead/dead-letters"): LEADERS,
    ("GET", "/console/lead/dead-letters/{job_id}"): LEADERS,
    ("POST", "/console/lead/dead-letters/{job_id}/retry"): LEADERS,
    ("GET", "/console/lead/audit"): LEADERS,
    ("GET", "/console/lead/audit/verification"): LEADERS,
    ("GET", "/console/lead/audit/export"): LEADERS,
}

POLLED = frozenset(
    {
        ("GET", "/console/queue/counts"),
        ("GET", "/console/queue/tasks/counts"),
        ("GET", "/console/uploads/table"),
        ("GET", "/console/tasks/{task_id}/evidence"),
    }
)
"""Asked for by a page that lies open: no sign of life, so that a session can grow idle."""

LARGE_FORMS: Mapping[tuple[str, str], int] = {
    ("POST", "/console/lead/policy/trials"): 1024 * 1024,
    ("POST", "/console/lead/policy/activations"): 1024 * 1024,
}
"""Forms that may have more bytes than others: a whole policy."""
