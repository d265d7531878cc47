"""Typed errors travel between processes whole."""

import pickle
from datetime import UTC, datetime

import pytest

from encoders.errors import EmptyFile, LimitExceeded, TypedError
from moderation.review.errors import RestDue

ERRORS = [
    EmptyFile("an empty file", expected="media", remedy="Send it again."),
    LimitExceeded("pixels", "too many", expected="fewer", remedy="Shrink it."),
    RestDue("six hours of work", resumes_at=datetime(2026, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_typed_error_survives_pickling(error: TypedError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
