"""What scores must share to be compared, told from the settings alone, as digests."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from encoders.base import ReadRequest
from encoders.sampling import Uniform, sampling_id
from moderation.judge.artefact import JudgeDescription
from moderation.settings import Settings


def read_request(settings: Settings) -> ReadRequest:
    """How much of a file is looked at."""
    return ReadRequest(
        sampling=Uniform(frames_max=settings.frames_max, rate_hz=settings.frame_rate_hz),
        audio_seconds_max=settings.audio_seconds_max,
    )


def plan_id(settings: Settings) -> str:
    """Names everything in the settings that decides which frames and samples are decoded."""
    request, limits = read_request(settings), settings.read_limits()
    sound = f"{request.audio_seconds_max:g}s@{request.sample_rate_hz}"
    bounds = f"{limits.frame_side_max}px,{limits.duration_seconds_max:g}s"
    return f"{sampling_id(request.sampling)};{sound};{bounds}"


def scoring_setup(settings: Settings, description: JudgeDescription) -> str:
    """Digest of what decides a score besides mode and rationales; loads nothing.

    The encoders' versions are those of the judge's description: no others are let in.
    """
    decides = {
        "plan": plan_id(settings),
        "judge": [settings.judge_plugin, description.judge_id],
        "run": sorted(settings.encoders),
        "encoders": dict(description.encoders),
        "backbone": dict(description.backbone_files),
    }
    return _digest(decides)


def decoder_limits(settings: Settings) -> str:
    """Digest of the decoder's bounds."""
    return _digest(asdict(settings.read_limits()))


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
