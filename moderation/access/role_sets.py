"""Sets of roles, as the matrices of permissions have them."""

from moderation.access.keys import AccessRole

UPLOADER, REVIEWER, LEAD, ADMIN = AccessRole

EVERYBODY = frozenset(AccessRole)
SUBMITTERS = frozenset({UPLOADER, LEAD, ADMIN})
STAFF = frozenset({REVIEWER, LEAD, ADMIN})
LEADERS = frozenset({LEAD, ADMIN})
PUBLIC: frozenset[AccessRole] = frozenset()
"""No key, and no session, is asked for."""
