"""The pages for leads and admins, under `/console/lead`."""

from moderation.web import (
    appeals,
    audit_trail,
    calibration,
    dead_letters,
    overview,
    policies,
    service_levels,
    team,
)

ROUTERS = (
    overview.router,
    team.router,
    service_levels.router,
    calibration.router,
    policies.router,
    appeals.router,
    dead_letters.router,
    audit_trail.router,
)
