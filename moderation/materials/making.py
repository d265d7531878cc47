"""From an examination to what a reviewer is shown: facts as JSON values, and pictures as files."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from encoders.forensic.heat_maps import frame_heat_maps
from encoders.types import AudioSamples, FrameBatch, Modality, Signal, Transcript
from moderation.materials.claim_checks import check_claims
from moderation.materials.pictures import frame_jpeg, heat_png
from moderation.materials.scene_cuts import GAP_SECONDS_MAX, scene_cuts
from moderation.materials.sound import FLOOR_DB, peaks, spectrogram_db, spectrogram_png
from moderation.materials.store import MadeMaterials, MaterialLimits
from moderation.types import Claim, Examination, Strength

BUCKETS = 1000
SPECTROGRAM = "spectrogram.png"
WAVEFORM = "waveform.json"
TEXT_MAX = 2000
SEGMENTS_MAX = 500


def make_materials(examination: Examination, limits: MaterialLimits) -> MadeMaterials:
    """Everything that is shown of one item; text in it is as its maker left it: untrusted."""
    media, judgment = examination.media, examination.judgment
    signals = examination.features.signals
    claims = judgment.rationale.claims if judgment.rationale else ()
    pieces: dict[str, bytes] = {}
    frames: list[dict[str, Any]] = []
    if media.frames is not None:
        chosen = evidence_frames(media.frames, signals, claims, limits.frames_max)
        frames = [
            _frame(media.frames, f, media.modality, signals, limits.frame_side_max, pieces)
            for f in chosen
        ]
    facts = {
        "modality": str(media.modality),
        "duration_seconds": media.duration_seconds,
        "judge_id": judgment.judge_id,
        "sound": None if media.audio is None else _sound(media.audio, pieces),
        "frames": frames,
        "scene_cuts": _cuts(media.frames, media.modality),
        "transcript": _transcript(examination.features.transcript),
        "authenticity": [
            {**asdict(one.span), "score": one.expected_score} for one in examination.timeline
        ],
        "signals": [signal_facts(signal) for signal in signals],
        "claims": [
            {
                "modality": str(one.claim.modality),
                **asdict(one.claim.span),
                "cue": one.claim.cue[:TEXT_MAX],
                "strength": str(one.claim.strength),
                "standing": str(one.standing),
                "signals": list(one.signals),
                "chance": one.chance,
            }
            for one in check_claims(claims, signals)
        ],
    }
    return MadeMaterials(facts, pieces)


def evidence_frames(
    frames: FrameBatch, signals: Sequence[Signal], claims: Sequence[Claim], most: int
) -> list[int]:
    """Up to `most` frames, ascending: those that evidence points to, then evenly spread ones.

    Unusual signals come first, then claims of a manipulation, then other signals with a map.
    """
    times_F = frames.timestamps_seconds_F
    seen = [one for one in signals if one.modality is not Modality.AUDIO]
    spans = [one.span for one in seen if one.is_unusual]
    spans += [
        one.span
        for one in claims
        if one.strength is not Strength.CLEAN and one.modality is not Modality.AUDIO
    ]
    spans += [one.span for one in seen if one.heat_map_HW is not None]
    wanted = [one.start_seconds for one in spans]
    wanted += np.linspace(times_F[0], times_F[-1], most).tolist()
    nearest = [int(np.argmin(np.abs(times_F - seconds))) for seconds in wanted]
    return sorted(list(dict.fromkeys(nearest))[:most])


def signal_facts(signal: Signal) -> dict[str, Any]:
    """A signal with its typical range on genuine media; what is not finite becomes None."""
    numbers = {
        name: value if math.isfinite(value := getattr(signal, name)) else None
        for name in ("value", "typical_low", "typical_high")
    }
    return {
        "name": signal.name,
        "modality": str(signal.modality),
        **numbers,
        "unit": signal.unit,
        "span": asdict(signal.span),
        "direction": str(signal.direction),
        "is_unusual": signal.is_unusual,
        "explanation": signal.explanation,
    }


def _frame(
    frames: FrameBatch,
    index: int,
    modality: Modality,
    signals: Sequence[Signal],
    side_max: int,
    pieces: dict[str, bytes],
) -> dict[str, Any]:
    seconds = float(frames.timestamps_seconds_F[index])
    picture = frame_jpeg(frames.pixels_FHWC[index], side_max)
    name = f"frame-{index:03d}"
    pieces[f"{name}.jpg"] = picture.content
    maps = dict(frame_heat_maps(frames, index, modality))
    maps |= {
        one.name: one.heat_map_HW
        for one in signals
        if one.heat_map_HW is not None and one.span.start_seconds == seconds
    }
    for signal, heat_HW in maps.items():
        pieces[heat_name(name, signal)] = heat_png(heat_HW)
    return {
        "seconds": seconds,
        "picture": f"{name}.jpg",
        "width": picture.width,
        "height": picture.height,
        "heat_maps": [
            {"signal": signal, "picture": heat_name(name, signal), "peak": float(heat_HW.max())}
            for signal, heat_HW in maps.items()
        ],
    }


def heat_name(frame: str, signal: str) -> str:
    """The file of a heat map."""
    return f"{frame}-{signal.replace('.', '-')}.png"


def _sound(audio: AudioSamples, pieces: dict[str, bytes]) -> dict[str, Any]:
    found = peaks(audio.waveform_T, BUCKETS)
    pieces[WAVEFORM] = json.dumps(
        {
            "seconds": audio.duration_seconds,
            "lowest": [round(float(v), 4) for v in found.lowest_B],
            "highest": [round(float(v), 4) for v in found.highest_B],
        }
    ).encode()
    pieces[SPECTROGRAM] = spectrogram_png(spectrogram_db(audio.waveform_T))
    return {
        "seconds": audio.duration_seconds,
        "waveform": WAVEFORM,
        "spectrogram": SPECTROGRAM,
        "frequency_hz_max": audio.sample_rate_hz / 2,
        "source_frequency_hz_max": audio.source_sample_rate_hz / 2,
        "floor_db": FLOOR_DB,
    }


def _cuts(frames: FrameBatch | None, modality: Modality) -> list[dict[str, float]] | None:
    """None where frames lie too far apart to tell."""
    if frames is None or modality is not Modality.VIDEO:
        return None
    gaps = np.diff(frames.timestamps_seconds_F)
    if gaps.size == 0 or float(np.median(gaps)) > GAP_SECONDS_MAX:
        return None
    return [{**asdict(cut.between), "change": cut.change} for cut in scene_cuts(frames)]


def _transcript(transcript: Transcript | None) -> Mapping[str, Any] | None:
    if transcript is None:
        return None
    return {
        "by": "machine",
        "segments": [
            {**asdict(one.span), "text": one.text.strip()[:TEXT_MAX]}
            for one in transcript.segments[:SEGMENTS_MAX]
        ],
    }
