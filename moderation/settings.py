"""A deployment's settings: environment variables `MODERATION_*`, read once."""

import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from encoders.base import ReadLimits
from moderation.errors import ConfigurationError

PREFIX = "MODERATION_"

_LIMITS = ReadLimits()


def _default_cache_dir() -> Path:
    # The XDG specification says that a relative XDG_CACHE_HOME is to be ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "real-moderation"


Folder = Annotated[Path, AfterValidator(Path.expanduser)]


class Settings(BaseSettings):
    """Everything that differs from one deployment to the next.

    cache_dir: features and converted weights. weights_dir: a local folder with published
        weight files, one of the sources of `moderation models pull`.
    judge: "starter", or the folder of a trained judge.
    device: "auto", "cpu", "cuda", "cuda:N" or "mps".
    workers: decoder processes; 0 means one a core.
    feature_cache_bytes: bound on the feature store; 0 switches it off.
    decode_*: bounds on one decoder child, see `encoders.base.ReadLimits`.
    frames_max, frame_rate_hz, audio_seconds_max: how much of a file is looked at.
    sources: folders with genuine media for `corpus build`, parted like PATH.
    offline: never reach for the network. debug: print tracebacks.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    cache_dir: Folder = Field(default_factory=_default_cache_dir)
    weights_dir: Folder | None = None
    judge: str = "starter"
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    workers: int = Field(default=0, ge=0, le=1024)
    feature_cache_bytes: int = Field(default=2 * 2**30, ge=0)
    decode_wall_seconds: float = Field(default=_LIMITS.wall_seconds, gt=0)
    decode_cpu_seconds: int = Field(default=_LIMITS.cpu_seconds, gt=0)
    decode_memory_bytes: int = Field(default=_LIMITS.memory_bytes, gt=0)
    decode_pixels_max: int = Field(default=_LIMITS.pixels_max, gt=0)
    decode_duration_seconds_max: float = Field(default=_LIMITS.duration_seconds_max, gt=0)
    decode_frame_side_max: int = Field(default=_LIMITS.frame_side_max, ge=64)
    decode_output_bytes_max: int = Field(default=_LIMITS.output_bytes_max, gt=0)
    frames_max: int = Field(default=16, ge=1)
    frame_rate_hz: float = Field(default=4.0, gt=0)
    audio_seconds_max: float = Field(default=120.0, gt=0)
    sources: str = ""
    offline: bool = False
    debug: bool = False

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Settings from the environment, with `overrides` by field name on top.

        Raises:
            ConfigurationError: an unknown variable, or a value that a field refuses.
        """
        allowed = tuple(f"{PREFIX}{name.upper()}" for name in cls.model_fields)
        unknown = sorted(
            name
            for name in os.environ
            if name.upper().startswith(PREFIX) and name.upper() not in allowed
        )
        if unknown:
            raise ConfigurationError(
                f"unknown environment variable {', '.join(unknown)}",
                expected=f"only {', '.join(allowed)}",
                remedy=f"Unset {', '.join(unknown)}, or correct the spelling.",
            )
        try:
            return cls(**overrides)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0]) if first["loc"] else "?"
            name = field if field in overrides else f"{PREFIX}{field.upper()}"
            raise ConfigurationError(
                f"{name} is {first['input']!r}",
                expected=first["msg"].removeprefix("Input should "),
                remedy=f"Correct {name}.",
            ) from error

    def read_limits(self) -> ReadLimits:
        """The bounds on one decoder child."""
        return ReadLimits(
            wall_seconds=self.decode_wall_seconds,
            cpu_seconds=self.decode_cpu_seconds,
            memory_bytes=self.decode_memory_bytes,
            pixels_max=self.decode_pixels_max,
            duration_seconds_max=self.decode_duration_seconds_max,
            frame_side_max=self.decode_frame_side_max,
            output_bytes_max=self.decode_output_bytes_max,
        )
