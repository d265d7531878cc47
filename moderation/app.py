"""The composition root: the one place that builds objects out of settings."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from encoders.base import ReadRequest
from encoders.cache import FeatureCache
from encoders.sampling import Uniform, sampling_id
from encoders.sandbox import Sandbox
from encoders.weights import WeightStore
from moderation import registry
from moderation.dispatch import InlineDispatcher
from moderation.errors import ConfigurationError
from moderation.extraction import Extractor
from moderation.pipeline import ScoringPipeline
from moderation.settings import Settings

STARTER_JUDGE = Path(__file__).parent / "judge" / "starter"
ENCODERS = ("clip", "whisper", "forensic")


def build_weights(settings: Settings) -> WeightStore:
    """The store of model weights."""
    return WeightStore(
        cache_dir=settings.cache_dir, offline=settings.offline, local_dir=settings.weights_dir
    )


def choose_device(wanted: str) -> str:
    """`auto` becomes the best device there is.

    Raises:
        ConfigurationError: a device that this machine does not have.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next((kind for kind, is_there in there.items() if is_there), "cpu")
    if not there.get(wanted.partition(":")[0], True):
        raise ConfigurationError(
            f"device {wanted!r} is not there",
            expected=f"cpu, or one of: {', '.join(k for k, v in there.items() if v) or 'none'}",
            remedy="Name another with --device or MODERATION_DEVICE; `moderation doctor` helps.",
        )
    return wanted


def build_sandbox(settings: Settings) -> Sandbox:
    """The decoder sandbox with this deployment's limits."""
    return Sandbox(limits=settings.read_limits())


def build_extractor(settings: Settings, sandbox: Sandbox) -> Extractor:
    """Readers, encoders and the feature cache.

    Raises:
        WeightsMissing: weights are not in the cache yet.
    """
    weights, device = build_weights(settings), choose_device(settings.device)
    options: dict[str, dict[str, Any]] = {
        "clip": {"weights": weights, "device": device},
        "whisper": {"weights": weights, "device": device},
        "forensic": {},
    }
    request = ReadRequest(
        sampling=Uniform(frames_max=settings.frames_max, rate_hz=settings.frame_rate_hz),
        audio_seconds_max=settings.audio_seconds_max,
    )
    store = None
    if settings.feature_cache_bytes:
        store = FeatureCache(
            settings.cache_dir / "features", size_bytes_max=settings.feature_cache_bytes
        )
    limits = f"{settings.decode_frame_side_max}px,{request.audio_seconds_max}s"
    return Extractor(
        source=sandbox,
        encoders=tuple(
            registry.load("moderation.encoders", name)(**options[name]) for name in ENCODERS
        ),
        request=request,
        plan_id=f"{sampling_id(request.sampling)};{limits}",
        store=store,
    )


def build_judge(settings: Settings) -> Any:
    """The judge named in the settings, on its device.

    Raises:
        ConfigurationError, WeightsMissing: the judge or its backbone is not there.
    """
    from moderation.judge.artefact import read_description

    folder = STARTER_JUDGE if settings.judge == "starter" else Path(settings.judge)
    backbone = read_description(folder).backbone
    weights = build_weights(settings)
    path = weights.path(backbone) if backbone in weights.names else Path(backbone)
    judge = registry.load("moderation.judges", "soft_token")
    return judge.from_folder(folder, backbone=path, device=choose_device(settings.device))


def build_dispatcher(settings: Settings) -> InlineDispatcher:
    """Everything that `moderation score` needs, ready to run; close it afterwards."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(build_sandbox(settings))
        extractor, judge = build_extractor(settings, sandbox), build_judge(settings)
        judge.require_encoders({e.name: e.version for e in extractor.encoders})
        pipeline = ScoringPipeline(
            extractor=extractor,
            judge=judge,
            workers=settings.workers or os.cpu_count() or 1,
        )
        return InlineDispatcher(pipeline, stack.pop_all())
