"""Policies from TOML files; what is wrong is named by file, line, key and allowed values."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from moderation.errors import ConfigurationError
from moderation.policy.schema import Misfit, Policy
from moderation.policy.source_lines import line_of

DEFAULT = Path(__file__).parent / "default.toml"
_BYTES_MAX = 2**20


class PolicyError(ConfigurationError):
    """A policy file that cannot be read; `line` is where, from 1, or None for the whole file."""

    code = "policy"

    def __init__(
        self, found: str, *, expected: str, remedy: str, line: int | None = None, key: str = ""
    ) -> None:
        super().__init__(found, expected=expected, remedy=remedy)
        self.line = line
        self.key = key


def default_policy() -> Policy:
    """The policy that is shipped."""
    return load_policy(DEFAULT)


def load_policy(path: Path) -> Policy:
    """The policy in a TOML file.

    Raises:
        PolicyError: no such file, not TOML, or a key that is unknown, missing or off its range.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_BYTES_MAX + 1)
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(
            f"{path}: {error}", expected="a readable TOML file in UTF-8", remedy="Name another."
        ) from error
    if len(raw) > _BYTES_MAX:
        raise PolicyError(
            f"{path} is larger than {_BYTES_MAX} bytes",
            expected="a policy",
            remedy="Name another file.",
        )
    return parse_policy(text.replace("\r\n", "\n"), str(path))


def parse_policy(text: str, name: str) -> Policy:
    """The policy that `text` holds; name: what errors call it.

    Raises:
        PolicyError: as `load_policy`, the first thing that is wrong.
    """
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        # The parser's message ends with the line and the column.
        raise PolicyError(f"{name}: {error}", expected="TOML", remedy="Correct it.") from error
    except RecursionError as error:
        raise PolicyError(
            f"{name}: values nested too deep", expected="TOML", remedy="Correct it."
        ) from error
    except ValidationError as error:
        # A key that is missing is most often one that is there with another spelling.
        first = min(
            error.errors(),
            key=lambda one: (one["type"] == "missing", line_of(text, _path_of(one))),
        )
        key = _dotted(_path_of(first))
        line = line_of(text, _path_of(first))
        raise PolicyError(
            f"{name}, line {line}: {_found(first, key)}",
            expected=_expected(first),
            remedy=f"Correct {key}.",
            line=line,
            key=key,
        ) from error


def _path_of(problem: Any) -> tuple[str | int, ...]:
    cause = problem.get("ctx", {}).get("error")
    within = cause.path if isinstance(cause, Misfit) else ()
    return (*problem["loc"], *within)


def _dotted(path: Sequence[str | int]) -> str:
    """`clauses[0].costs.wrong`; counted from 0."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _found(problem: Any, key: str) -> str:
    if problem["type"] == "missing":
        return f"key {key!r} is missing"
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    if problem["type"] == "value_error":
        return f"{key}: {problem['msg'].removeprefix('Value error, ')}"
    shown = repr(problem["input"])
    return f"key {key!r} is {shown[:200]}{'…' if len(shown) > 200 else ''}"


def _expected(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return f"only {', '.join(_keys_of(problem['loc'][:-1]))}"
    if problem["type"] == "missing":
        return f"it beside {', '.join(_keys_of(problem['loc'][:-1]))}"
    if problem["type"] == "value_error":
        return "rules that agree"
    message = str(problem["msg"]).removeprefix("Input should ").removeprefix("be ")
    return message[0].lower() + message[1:]


def _keys_of(path: Sequence[str | int]) -> list[str]:
    return list(_model_at(path).model_fields)


def _model_at(path: Sequence[str | int]) -> type[BaseModel]:
    """The model that a key path leads to, from `Policy`."""
    model: type[BaseModel] = Policy
    for step in path:
        if isinstance(step, str):
            model = _model_in(model.model_fields[step].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
