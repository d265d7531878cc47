"""How long the fuzzing tests go on: briefly in the suite, long with the profile `long`."""

from hypothesis import settings

PROFILE = "long"

effort = (
    settings(deadline=None)
    if settings.get_current_profile_name() == PROFILE
    else settings(deadline=None, max_examples=30)
)
"""Decorates a fuzzing test."""
