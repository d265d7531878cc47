"""One way to write a value as bytes, so that the same record always has the same hash.

JSON with sorted keys, no spaces, UTF-8. Source: the rules of RFC 8785, narrowed: integers stay
within what every JSON reader keeps exactly (2**53 - 1), and there are no fractions. A fraction
is text, the shortest that reads back as the same double (`decimal_text`). Keys are ASCII, which
makes every order of characters the same one.
"""

import json
import math
import re
from typing import Any

from moderation.errors import RecordError

INTEGER_MAX = 2**53 - 1
DEPTH_MAX = 16
_KEY = re.compile(r"[a-z0-9_]{1,64}")


def canonical_json(value: Any) -> bytes:
    """`value` as its only encoding.

    Raises:
        RecordError: it holds a float, an integer beyond 2**53 - 1, a key that is no lower-case
            ASCII name, text that UTF-8 cannot hold, or anything that JSON has no word for.
    """
    _check(value, "record", DEPTH_MAX)
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def decimal_text(value: float) -> str:
    """A finite double as the shortest text that reads back as the same double.

    Raises:
        RecordError: NaN or infinity.
    """
    if not math.isfinite(value):
        raise _refused(f"the number {value}", "a finite number")
    return repr(float(value))


def parse_exact(text: bytes) -> Any:
    """The value that `canonical_json` wrote as `text`.

    Raises:
        RecordError: `text` is not exactly what it writes for any value: other spacing, another
            order of keys, a key given twice.
    """
    try:
        value = json.loads(text)
        is_exact = canonical_json(value) == text
    except (ValueError, RecursionError) as error:
        raise _refused("bytes that are no JSON", "canonical JSON") from error
    if not is_exact:
        raise _refused("JSON in another spelling", "canonical JSON")
    return value


def _check(value: Any, where: str, depth: int) -> None:
    if depth == 0:
        raise _refused(f"{where} nested deeper than {DEPTH_MAX}", "a flat record")
    # bool is an int too, and JSON writes it as a word of its own.
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise _refused(f"{where} is {value}", f"an integer up to {INTEGER_MAX}, or text")
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refused(f"{where} holds a lone surrogate", "text that UTF-8 holds") from None
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            _check(part, f"{where}[{index}]", depth - 1)
    elif isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                raise _refused(f"{where} has the key {key!r}", "keys of a-z, 0-9 and _")
            _check(part, f"{where}.{key}", depth - 1)
    elif isinstance(value, float):
        raise _refused(f"{where} is the float {value!r}", "text made by decimal_text")
    else:
        raise _refused(f"{where} is a {type(value).__name__}", "what JSON can hold")


def _refused(found: str, expected: str) -> RecordError:
    return RecordError(found, expected=expected, remedy="Correct what makes the record.")
