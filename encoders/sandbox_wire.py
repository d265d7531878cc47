"""What travels between the sandbox and its decoder child: JSON headers, then raw bytes.

Never pickle: the child has worked on hostile bytes, so what it says is read as hostile too.
`encoders.sandbox_media` is what it answers with.
"""

import json
import socket
import struct
import time
from dataclasses import asdict, dataclass
from typing import Any

from encoders.base import ReadLimits, ReadRequest
from encoders.sampling import ByScene, Dense, Sampling, Uniform
from encoders.types import Span

HEADER_BYTES_MAX = 1 << 20
"""Longest JSON header; a container's tags are text and stay far below it."""

TEXT_CHARACTERS_MAX = 2000
"""Longest text taken from a child."""

_LENGTH = struct.Struct("!I")
Header = dict[str, Any]


class MalformedAnswer(Exception):
    """The other side broke the protocol."""


class Disconnected(Exception):
    """The other side closed before the message was complete."""


class OversizedAnswer(Exception):
    """The child announced more than it may hand back; `limit` names the field of ReadLimits."""

    def __init__(self, limit: str, found: str) -> None:
        super().__init__(found)
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock, in seconds, that no call may outlast."""

    at_seconds: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def remaining_seconds(self) -> float:
        """Raises: TimeoutError when the moment has passed."""
        left = self.at_seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def send_header(channel: socket.socket, header: Header) -> None:
    """Send one JSON object with its length in front."""
    text = json.dumps(header, separators=(",", ":")).encode()
    channel.sendall(_LENGTH.pack(len(text)) + text)


def receive_into(channel: socket.socket, target: memoryview, deadline: Deadline | None) -> None:
    """Fill `target` completely.

    Raises:
        TimeoutError: `deadline` passed first.
        Disconnected: the other side closed first.
    """
    filled = 0
    while filled < len(target):
        channel.settimeout(None if deadline is None else deadline.remaining_seconds())
        try:
            count = channel.recv_into(target[filled:])
        except ConnectionError:
            count = 0
        if count == 0:
            raise Disconnected
        filled += count


def receive_header(channel: socket.socket, deadline: Deadline | None = None) -> Header:
    """Read one JSON object.

    Raises:
        TimeoutError, Disconnected: as `receive_into`.
        MalformedAnswer: too long, or no JSON object.
    """
    prefix = bytearray(_LENGTH.size)
    receive_into(channel, memoryview(prefix), deadline)
    (length,) = _LENGTH.unpack(prefix)
    if length > HEADER_BYTES_MAX:
        raise MalformedAnswer(f"a header of {length} bytes")
    text = bytearray(length)
    receive_into(channel, memoryview(text), deadline)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedAnswer("a header that is no JSON") from error
    if not isinstance(header, dict):
        raise MalformedAnswer("a header that is no JSON object")
    return header


def pack_request(
    request: ReadRequest, limits: ReadLimits, reader: str, readers: tuple[str, ...]
) -> Header:
    """Header of a request; `readers` empty means that the reader chooses.

    The file travels beside it, as an open descriptor.
    """
    return {
        "sampling": {"kind": type(request.sampling).__name__, **asdict(request.sampling)},
        "audio_seconds_max": request.audio_seconds_max,
        "sample_rate_hz": request.sample_rate_hz,
        "limits": asdict(limits),
        "reader": reader,
        "readers": list(readers),
    }


def unpack_request(header: Header) -> tuple[ReadRequest, ReadLimits]:
    """Request and limits of a header by `pack_request`."""
    values = dict(header["sampling"])
    kind = values.pop("kind")
    sampling: Sampling
    if kind == Dense.__name__:
        values["span"] = Span(**values["span"])
        sampling = Dense(**values)
    else:
        sampling = {Uniform.__name__: Uniform, ByScene.__name__: ByScene}[kind](**values)
    request = ReadRequest(
        sampling=sampling,
        audio_seconds_max=header["audio_seconds_max"],
        sample_rate_hz=header["sample_rate_hz"],
    )
    return request, ReadLimits(**header["limits"])


def printable(text: object) -> str:
    """Words of a child without what would steer a terminal or break a table."""
    return "".join(c for c in str(text)[:TEXT_CHARACTERS_MAX] if c.isprintable())
