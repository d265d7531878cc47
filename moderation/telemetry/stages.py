"""The stages of scoring: each is a span, and its duration is told."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from encoders.errors import TypedError
from moderation.telemetry import observers, tracing


class Stage(StrEnum):
    """DECODE, PROVENANCE and SETTLE are of one item, ENCODE and JUDGE of a batch."""

    DECODE = "decode"
    PROVENANCE = "provenance"
    ENCODE = "encode"
    JUDGE = "judge"
    SETTLE = "settle"


class Watch:
    """Of a stage that goes on. `fail` where it ends badly without raising."""

    def __init__(self) -> None:
        self.error_code: str | None = None

    def fail(self, error_code: str) -> None:
        """The stage has come to this error."""
        self.error_code = error_code


@contextmanager
def stage(
    name: Stage,
    attributes: tracing.Attributes | None = None,
    *,
    parent: str | None = None,
    linked: Mapping[str, str] | None = None,
) -> Iterator[Watch]:
    """Time what is done here. attributes, parent, linked: see `tracing.span`."""
    watch, began = Watch(), time.perf_counter()
    with tracing.span(name, attributes, parent=parent, linked=linked) as current:
        try:
            yield watch
        except TypedError as error:
            watch.fail(error.code)
            raise
        except Exception:
            watch.fail("internal")
            raise
        finally:
            seconds, code = time.perf_counter() - began, watch.error_code
            if current is not None and code is not None:
                current.set_attribute("error.type", code)
            observers.tell(lambda observer: observer.stage_ended(name, seconds, code))
