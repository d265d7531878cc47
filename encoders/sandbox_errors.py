"""What a decoder child's error, silence or death means, as a typed error."""

import signal
from dataclasses import dataclass
from typing import Any

from encoders import errors
from encoders.base import ReadLimits
from encoders.sandbox_wire import (
    TEXT_CHARACTERS_MAX,
    Header,
    MalformedAnswer,
    OversizedAnswer,
    printable,
)

_SEND_ANOTHER = "Send the file converted to a common format (MP4, JPEG, WAV), or a shorter one."


class ZygoteLost(Exception):
    """The zygote ended by itself or was killed."""


class Inconclusive(Exception):
    """The child gave no typed verdict on the file; another reader may. `verdict`: if none does."""

    def __init__(self, verdict: errors.TypedError) -> None:
        super().__init__(str(verdict))
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class ChildExit:
    """How a decoder child ended.

    exit_code: negative for the signal that killed it. killed: by the sandbox itself.
    """

    exit_code: int
    max_rss_bytes: int
    cpu_seconds: float
    killed: bool = False


def conclude(problem: Exception | None, ended: ChildExit | None, limits: ReadLimits) -> Exception:
    """What a child's silence or nonsense means, given how it died.

    problem: TimeoutError, OversizedAnswer, MalformedAnswer, or else it closed its stream.
    ended: None when the zygote was gone as well.
    """
    if isinstance(problem, TimeoutError):
        return Inconclusive(timed_out(limits))
    if isinstance(problem, OversizedAnswer):
        return errors.LimitExceeded(
            problem.limit.removesuffix("_max"),
            f"the decoder hands back {problem}",
            expected=f"at most {problem.limit} = {getattr(limits, problem.limit)}",
            remedy="Ask for fewer frames or less sound, or raise the limit.",
        )
    if ended is None:
        return ZygoteLost("it ended during a read")
    if isinstance(problem, MalformedAnswer):
        return Inconclusive(crashed(f"gave {problem}"))
    if ended.killed:
        return Inconclusive(crashed("closed its answer without giving one"))
    used_up = ended.cpu_seconds >= max(1, limits.cpu_seconds)
    if ended.exit_code == -signal.SIGXCPU or (ended.exit_code == -signal.SIGKILL and used_up):
        return Inconclusive(timed_out(limits))
    if ended.exit_code == -signal.SIGKILL:  # the kernel's choice when memory is short
        return Inconclusive(out_of_memory(limits))
    if ended.exit_code < 0:
        return Inconclusive(crashed(f"died of {signal.strsignal(-ended.exit_code)}"))
    return Inconclusive(crashed(f"ended without an answer (status {ended.exit_code})"))


def timed_out(limits: ReadLimits) -> errors.DecodeTimeout:
    return errors.DecodeTimeout(
        "time",
        "the decoder used up its time",
        expected=f"an end within {limits.wall_seconds:g} s and {limits.cpu_seconds} s of CPU time",
        remedy=_SEND_ANOTHER,
    )


def out_of_memory(limits: ReadLimits) -> errors.LimitExceeded:
    return errors.LimitExceeded(
        "memory",
        "the decoder ran out of memory",
        expected=f"at most {limits.memory_bytes} bytes of address space",
        remedy=_SEND_ANOTHER,
    )


def crashed(what: str) -> errors.DecoderCrashed:
    return errors.DecoderCrashed(
        f"the decoder {what}", expected="a decoder that survives the file", remedy=_SEND_ANOTHER
    )


def pack_error(error: BaseException) -> Header:
    """A typed error keeps its code and sentences; any other is told by its text."""
    if isinstance(error, errors.MediaError):
        return {
            "code": error.code,
            "found": error.found[:TEXT_CHARACTERS_MAX],
            "expected": error.expected[:TEXT_CHARACTERS_MAX],
            "remedy": error.remedy[:TEXT_CHARACTERS_MAX],
            "limit": getattr(error, "limit", None),
        }
    if isinstance(error, MemoryError):
        return {"untyped": "memory"}
    return {"untyped": "exception", "text": f"{type(error).__name__}: {error}"[:400]}


def unpack_error(header: Header, limits: ReadLimits) -> errors.TypedError | Inconclusive:
    """The error of a header by `pack_error`. Raises: MalformedAnswer."""
    if header.get("untyped") == "memory":
        return Inconclusive(out_of_memory(limits))
    if header.get("untyped") == "exception":
        return Inconclusive(
            errors.CorruptMedia(
                f"the decoder failed with {printable(header.get('text'))[:400]}",
                expected="a stream that decodes",
                remedy=_SEND_ANOTHER,
            )
        )
    try:
        error_class = _error_classes()[header["code"]]
        found, expected, remedy = (
            printable(header[name]) for name in ("found", "expected", "remedy")
        )
        if issubclass(error_class, errors.LimitExceeded):
            limit = printable(header["limit"])[:100]
            return error_class(limit, found, expected=expected, remedy=remedy)
        plain: errors.TypedError = error_class(found, expected=expected, remedy=remedy)
        return plain
    except (KeyError, TypeError) as error:
        raise MalformedAnswer("an error of an unknown kind") from error


def _error_classes() -> dict[str, type[Any]]:
    kinds: list[type[errors.MediaError]] = [errors.MediaError]
    for kind in kinds:
        kinds.extend(child for child in kind.__subclasses__() if child not in kinds)
    return {kind.code: kind for kind in kinds if kind.__module__ == errors.__name__}
