"""A deployment's settings: environment variables `MODERATION_*`, read once."""

import os
import re
import tempfile
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from encoders.base import ReadLimits
from moderation.errors import ConfigurationError
from moderation.telemetry.log_format import LogFormat
from moderation.types import Mode

PREFIX = "MODERATION_"
BELL = "celery"
"""Name of the plugin that rings at `broker_url`."""
LOCAL = "local"
"""Name of the dispatcher that scores in its own process."""

_LIMITS = ReadLimits()


def _default_cache_dir() -> Path:
    # The XDG specification says that a relative XDG_CACHE_HOME is to be ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "real-moderation"


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _default_data_dir() -> Path:
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    base = base if base.is_absolute() else Path.home() / ".local" / "share"
    return base / "real-moderation"


def _default_run_dir() -> Path:
    base = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if base.is_absolute():
        return base / "real-moderation"
    return Path(tempfile.gettempdir()) / f"real-moderation-{os.getuid()}"


def _default_database_url(fields: dict[str, Any]) -> str:
    folder = fields.get("data_dir") or _default_data_dir()
    return f"sqlite:///{folder}/moderation.sqlite"


# More decoders than that wait for one another, and each holds up to `decode_memory_bytes`.
WORKERS_A_CORE = 4


def _check_workers(workers: int) -> int:
    most = WORKERS_A_CORE * cores()
    if workers > most:
        raise ValueError(f"at most {most}, {WORKERS_A_CORE} a core")
    return workers


_PASSWORD = re.compile(r"(?<=://)([^/?#@\s]*:)[^/?#\s]*(?=@)")


def without_password(value: object) -> str:
    """`value` to be shown: what stands as a password in a URL becomes stars."""
    return _PASSWORD.sub(r"\1***", str(value))


class ReviewOrder(StrEnum):
    """Orders of the queue, by the names that `moderation.priority.orders` has."""

    FIFO = "fifo"
    SCORE = "score"
    CMU = "cmu"
    INFORMATION = "information"
    AVOIDABLE = "avoidable"


Folder = Annotated[Path, AfterValidator(Path.expanduser)]


def _names(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(names) or len(set(names)) < len(names):
        raise ValueError("names parted by commas, each of them once")
    return names


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names), AfterValidator(_distinct)]


def _days(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


Days = Annotated[int, Field(ge=1)]
RetentionDays = Annotated[tuple[Days, Days, Days] | None, NoDecode, BeforeValidator(_days)]


class Settings(BaseSettings):
    """Everything that differs from one deployment to the next.

    cache_dir: features and converted weights. weights_dir: a local folder with published
        weight files, one of the sources of `moderation models pull`.
    judge: "starter", or the folder of a trained judge. judge_plugin: what loads it.
    encoders: those that run, parted by commas. dispatcher: what gets files scored. These three
        are names of plugins, see `moderation plugins`.
    device: "auto", "cpu", "cuda", "cuda:N" or "mps".
    workers: decoder processes, at most `WORKERS_A_CORE` a core; 0 means one a core.
    database_url: where decisions and records are kept: `sqlite:///FILE`, or
        `postgresql://USER@HOST/NAME`; a SQLite file in `data_dir` unless told otherwise.
    data_dir: uploads, and the deployment's secret unless `secret_file` names another.
    upload_bytes_max: of one upload. mode: "fast" or "full", how uploads are scored.
    policy, shadow_policy: TOML files of the rules that act, and of those on trial; the shipped
        policy where there is none. calibrators: folder with one calibrator a mode, in place of the
        judge's own.
    review_order: of the queue, see `docs/triage.md`. review_minutes_an_hour: that all reviewers
        together work, averaged over the day.
    second_rate: share of cases that get a blind second review. golden_rate: share of claims that
        are answered with an item whose answer is known.
    allow_fetch: items may be handed in by URL, which the server then fetches.
    broker_url: `redis://HOST:PORT/NUMBER` of the doorbell between the API and the workers; without
        one, the API's own process scores. See `docs/workers.md` for this and the next ones.
    batch_items_max, batch_wait_seconds: how many jobs a scoring process takes at once, and how
        long it waits at most for that many. lease_seconds: how long a job is held without a sign
        of life. sweep_seconds: how often bells that nobody heard are rung again, where work is
        due. task_seconds_max: after which a pool process is killed. stop_seconds_max: what
        SIGTERM leaves a worker for the file in hand. run_dir: heartbeats of this machine's
        workers.
    retention_days: `ALLOWED,DECIDED,APPEALED`, after which workers erase media by themselves;
        without it, `moderation audit erase` does. statements_dir: where they export statements of
        reasons to.
    requests_a_second, requests_at_once: that one API key may send.
    server, api_key: that commands such as `submit` speak to, and with which key.
    feature_cache_bytes: bound on the feature store; 0 switches it off.
    materials_bytes_max: of all that is kept of one item for its reviewer, see docs/materials.md;
        0: nothing is. materials_frames_max: frames of it that are shown.
    decode_*: bounds on one decoder child, see `encoders.base.ReadLimits`.
    frames_max, frame_rate_hz, audio_seconds_max: how much of a file is looked at.
    provenance: read C2PA manifests and IPTC marks of each file. trust_anchors: PEM file with the
        certificates of signers that are trusted; without one, no signer is.
    sources: folders with genuine media for `corpus build`, parted like PATH.
    log_format: of what the server and workers say of themselves: "text", or "json" for machines.
    metrics_port: of Prometheus measures without a key, for a private network; 0: none. The API's
        is this one, and it shows them at `/metrics` as well, for a key; pools have those behind
        it, see docs/workers.md.
    offline: never reach for the network. debug: print tracebacks.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    cache_dir: Folder = Field(default_factory=_default_cache_dir)
    weights_dir: Folder | None = None
    judge: str = "starter"
    judge_plugin: str = "soft_token"
    encoders: Names = ("clip", "whisper", "forensic")
    dispatcher: str = LOCAL
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    workers: Annotated[int, AfterValidator(_check_workers)] = Field(default=0, ge=0)
    data_dir: Folder = Field(default_factory=_default_data_dir)
    database_url: str = Field(default_factory=_default_database_url)
    secret_file: Folder | None = None
    upload_bytes_max: int = Field(default=2 * 2**30, gt=0)
    mode: Mode = Mode.FAST
    policy: Folder | None = None
    shadow_policy: Folder | None = None
    calibrators: Folder | None = None
    review_order: ReviewOrder = ReviewOrder.AVOIDABLE
    second_rate: float = Field(default=0.05, ge=0, le=1)
    golden_rate: float = Field(default=0.03, ge=0, le=1)
    review_minutes_an_hour: float = Field(default=60.0, ge=0, allow_inf_nan=False)
    allow_fetch: bool = False
    broker_url: SecretStr | None = None
    batch_items_max: int = Field(default=8, ge=1)
    batch_wait_seconds: float = Field(default=0.05, ge=0, le=10)
    lease_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    sweep_seconds: float = Field(default=5.0, gt=0, allow_inf_nan=False)
    task_seconds_max: float = Field(default=900.0, gt=0, allow_inf_nan=False)
    stop_seconds_max: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    retention_days: RetentionDays = None
    statements_dir: Folder | None = None
    metrics_port: int = Field(default=0, ge=0, le=65000)
    run_dir: Folder = Field(default_factory=_default_run_dir)
    requests_a_second: float = Field(default=50.0, gt=0)
    requests_at_once: int = Field(default=200, ge=1)
    server: str = "http://127.0.0.1:8321"
    api_key: SecretStr | None = None
    feature_cache_bytes: int = Field(default=2 * 2**30, ge=0)
    materials_bytes_max: int = Field(default=8 * 2**20, ge=0, le=2**30)
    materials_frames_max: int = Field(default=12, ge=1, le=64)
    decode_wall_seconds: float = Field(default=_LIMITS.wall_seconds, gt=0)
    decode_cpu_seconds: int = Field(default=_LIMITS.cpu_seconds, gt=0)
    decode_memory_bytes: int = Field(default=_LIMITS.memory_bytes, gt=0)
    decode_pixels_max: int = Field(default=_LIMITS.pixels_max, gt=0)
    decode_duration_seconds_max: float = Field(default=_LIMITS.duration_seconds_max, gt=0)
    decode_frame_side_max: int = Field(default=_LIMITS.frame_side_max, ge=64)
    decode_output_bytes_max: int = Field(default=_LIMITS.output_bytes_max, gt=0)
    decode_file_bytes_max: int = Field(default=_LIMITS.file_bytes_max, gt=0)
    frames_max: int = Field(default=16, ge=1)
    frame_rate_hz: float = Field(default=4.0, gt=0)
    audio_seconds_max: float = Field(default=120.0, gt=0)
    provenance: bool = True
    trust_anchors: Folder | None = None
    sources: str = ""
    log_format: LogFormat = LogFormat.TEXT
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
                expected=first["msg"].removeprefix("Input should ").removeprefix("Value error, "),
                remedy=f"Correct {name}.",
            ) from error

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Without passwords: a traceback or a log may show the whole object."""
        for name, value in super().__repr_args__():
            hidden = without_password(value)
            yield name, value if hidden == str(value) else hidden

    @property
    def plugins(self) -> frozenset[tuple[str, str]]:
        """Group and name of every plugin that these settings choose."""
        chosen = {("moderation.encoders", name) for name in self.encoders}
        chosen.add(("moderation.judges", self.judge_plugin))
        chosen.add(("moderation.dispatchers", self.dispatcher))
        if self.broker_url is not None:
            chosen.add(("moderation.bells", BELL))
        return frozenset(chosen)

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
            file_bytes_max=self.decode_file_bytes_max,
        )
