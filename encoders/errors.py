"""Typed errors of everything that touches media or weights.

The class decides what a caller does: a `TransientError` is worth another try,
a `PermanentError` is not and sends the item to review. Every message says what
was found, what was expected and what to do about it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class TypedError(Exception):
    """An error with a stable `code` for machines and three sentences for people."""

    code: ClassVar[str] = "error"

    def __init__(self, found: str, *, expected: str, remedy: str) -> None:
        super().__init__(f"{found}; expected {expected}. {remedy}")
        self.found = found
        self.expected = expected
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """So that a process pool hands it over, instead of waiting for what cannot be unpickled."""
        return _restored, (type(self), self.args, dict(self.__dict__))


def _restored(
    kind: type[TypedError], arguments: tuple[object, ...], state: Mapping[str, object]
) -> TypedError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class TransientError(TypedError):
    """May succeed when tried again: a busy machine, a lost connection."""

    code = "transient"


class PermanentError(TypedError):
    """Will fail again the same way."""

    code = "permanent"


class MediaError(PermanentError):
    """The file itself cannot be scored."""

    code = "media"


class UnreadableFile(MediaError):
    """No such file, no permission, a link loop, not a regular file."""

    code = "unreadable_file"


class EmptyFile(MediaError):
    """Zero bytes."""

    code = "empty_file"


class UnsupportedMedia(MediaError):
    """The bytes are no container or image format on the allow-list."""

    code = "unsupported_media"


class CorruptMedia(MediaError):
    """The format is known, but the content is damaged or ends early."""

    code = "corrupt_media"


class NoUsableMedia(MediaError):
    """Decodes, but holds neither a picture nor audible sound, or too little of them to score."""

    code = "no_usable_media"


class LimitExceeded(MediaError):
    """Asks for more than the sandbox allows; `limit` names which bound."""

    code = "limit_exceeded"

    def __init__(self, limit: str, found: str, *, expected: str, remedy: str) -> None:
        super().__init__(found, expected=expected, remedy=remedy)
        self.limit = limit


class DecodeTimeout(LimitExceeded):
    """The decoder child used up its wall or CPU time and was killed."""

    code = "decode_timeout"


class DecoderCrashed(MediaError):
    """The decoder child died of a signal (segmentation fault, abort)."""

    code = "decoder_crashed"


class WeightsError(PermanentError):
    """Weights are missing, damaged or not those that were pinned."""

    code = "weights"


class WeightsMissing(WeightsError):
    """Not in the cache, and no source could provide them."""

    code = "weights_missing"


class ChecksumMismatch(WeightsError):
    """The SHA-256 differs from the pinned one."""

    code = "checksum_mismatch"
