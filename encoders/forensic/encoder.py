"""Assembles the families into the forensic encoder: features in time, and readable signals."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from encoders.forensic.audio_spectrum import read_audio_spectrum
from encoders.forensic.audio_windows import AudioReading, ShortTime, short_time
from encoders.forensic.blend_edge import read_blend_edge
from encoders.forensic.block_dct import read_block_dct
from encoders.forensic.catalogue import BY_NAME
from encoders.forensic.cepstra import read_cepstra
from encoders.forensic.copy_move import read_copy_move
from encoders.forensic.error_level import read_error_level
from encoders.forensic.noise import read_noise
from encoders.forensic.norms import Norms, load_norms
from encoders.forensic.onset_lag import OnsetLag, onset_lag, onset_strength
from encoders.forensic.phase import read_phase
from encoders.forensic.pitch import read_pitch
from encoders.forensic.reading import BlockContext, Reading, analysis_luma, block_context
from encoders.forensic.residual import read_residual
from encoders.forensic.spectrum import read_spectrum
from encoders.forensic.temporal import FrameSketch, Motion, frame_steps, read_motion, sketch
from encoders.types import (
    DecodedMedia,
    Direction,
    Encoding,
    FeatureSequence,
    FloatArray,
    FrameBatch,
    Modality,
    SecondsArray,
    Signal,
    Span,
)

Columns = dict[str, npt.NDArray[np.float64]]

FRAME_FAMILIES: Mapping[str, Callable[[FloatArray, BlockContext], Reading]] = {
    "residual": read_residual,
    "noise": read_noise,
    "spectrum": lambda luma_HW, _: read_spectrum(luma_HW),
    "block_dct": lambda luma_HW, _: read_block_dct(luma_HW),
    "error_level": read_error_level,
    "blend_edge": read_blend_edge,
    "copy_move": lambda luma_HW, _: read_copy_move(luma_HW),
}
FRAMES_MIN = 3
CONFIDENCE_MIN = 0.15
RANGE_ITEMS_MIN = 20
"""With fewer items the 5th and 95th percentiles are hardly more than the smallest and largest."""
_REDUCED = frozenset({"image.grid_displacement", "image.double_quantisation"})


def read_frame(pixels_HWC: npt.NDArray[np.uint8]) -> tuple[dict[str, Reading], FrameSketch]:
    """Every image family of one RGB frame, and what the motion family keeps of it."""
    luma_HW = analysis_luma(pixels_HWC)
    context = block_context(luma_HW)
    readings = {name: read(luma_HW, context) for name, read in FRAME_FAMILIES.items()}
    detail = readings["residual"].features["r5x5_std"]
    return readings, sketch(pixels_HWC, luma_HW, detail)


def frame_columns(readings_F: Sequence[Mapping[str, Reading]]) -> dict[str, Columns]:
    """layer -> feature -> (F,)."""
    return {
        layer: {
            name: np.array([readings[layer].features[name] for readings in readings_F])
            for name in readings_F[0][layer].features
        }
        for layer in FRAME_FAMILIES
    }


def read_sound(media: DecodedMedia) -> tuple[ShortTime, dict[str, AudioReading]] | None:
    """Short-time analysis and every audio family; None without audio."""
    if media.audio is None:
        return None
    short = short_time(media.audio)
    return short, {
        "cepstra": read_cepstra(short),
        "spectrum": read_audio_spectrum(short, media.audio),
        "phase": read_phase(short),
        "pitch": read_pitch(short),
    }


def frame_spans(media: DecodedMedia, frames: FrameBatch) -> tuple[SecondsArray, SecondsArray]:
    """Each frame lasts until the next, the last one until the file ends."""
    start_F = frames.timestamps_seconds_F
    end_F = np.append(start_F[1:], max(media.duration_seconds, float(start_F[-1])))
    return start_F, end_F


def is_reported(name: str, frames: FrameBatch, modality: Modality) -> bool:
    """Whether an image signal tells something of these frames.

    A reduced picture has lost its compression grid; a film never had JPEG's.
    """
    is_reduced = frames.pixels_FHWC.shape[1:3] != (frames.source_height, frames.source_width)
    if is_reduced and name in _REDUCED:
        return False
    return modality is not Modality.VIDEO or BY_NAME[name].in_films


class ForensicEncoder:
    """Weight-free forensic features and signals of frames, motion, sound and their timing.

    Sequences: "forensic_image" (one position a frame), "forensic_motion" (one a step between
    frames, films of at least 3 frames), "forensic_audio" (one a quarter second). Features are
    standardised by their spread on genuine media. Same input, same output, to the bit.
    """

    name = "forensic"

    def __init__(self, *, norms: Norms | None = None) -> None:
        self._norms = load_norms() if norms is None else norms
        self.version = f"1+{self._norms.fingerprint}"

    def encode(self, batch: Sequence[DecodedMedia]) -> list[Encoding]:
        """One `Encoding` an item, in order, whatever its neighbours."""
        return [self._encode_one(media) for media in batch]

    def _encode_one(self, media: DecodedMedia) -> Encoding:
        sequences: list[FeatureSequence] = []
        signals: list[Signal] = []
        motion: Motion | None = None
        steps_F1: npt.NDArray[np.float64] | None = None
        if media.frames is not None:
            is_still = media.modality is Modality.IMAGE
            modality = Modality.IMAGE if is_still else Modality.VIDEO
            pairs = [read_frame(pixels) for pixels in media.frames.pixels_FHWC]
            readings_F = [readings for readings, _ in pairs]
            start_F, end_F = frame_spans(media, media.frames)
            columns = frame_columns(readings_F)
            sequences.append(self._sequence("forensic_image", modality, columns, start_F, end_F))
            signals += self._frame_signals(media.frames, readings_F, modality, start_F, end_F)
            if not is_still and len(pairs) >= FRAMES_MIN:
                sketches = [kept for _, kept in pairs]
                motion = read_motion(sketches, start_F)
                steps_F1 = frame_steps(np.stack([kept.embedding_D for kept in sketches]))
                layers = {"motion": motion.features}
                sequences.append(
                    self._sequence(
                        "forensic_motion", Modality.VIDEO, layers, start_F[:-1], start_F[1:]
                    )
                )
                signals += self._motion_signals(motion, start_F)
        sound = read_sound(media)
        if sound is not None:
            short, families = sound
            audio_layers = {name: reading.features for name, reading in families.items()}
            sequences.append(
                self._sequence(
                    "forensic_audio",
                    Modality.AUDIO,
                    audio_layers,
                    short.start_seconds_N,
                    short.end_seconds_N,
                )
            )
            if np.any(short.active_M):
                signals += self._audio_signals(short, families)
            if steps_F1 is not None and media.frames is not None:
                times_F = media.frames.timestamps_seconds_F
                lag = onset_lag(steps_F1, times_F, onset_strength(short))
                if lag is not None:
                    span = Span(float(times_F[0]), float(times_F[-1]))
                    signals += self._lag_signals(lag, span)
        return Encoding(sequences=tuple(sequences), signals=tuple(signals))

    def _sequence(
        self,
        encoder: str,
        modality: Modality,
        columns: Mapping[str, Columns],
        start_N: SecondsArray,
        end_N: SecondsArray,
    ) -> FeatureSequence:
        layers = {
            layer: self._norms.standardised(f"{encoder}.{layer}", features)
            for layer, features in columns.items()
        }
        return FeatureSequence(encoder, modality, layers, start_N.copy(), end_N.copy())

    def _signal(
        self,
        name: str,
        modality: Modality,
        value: float,
        span: Span,
        heat_map_HW: FloatArray | None = None,
        remark: str = "",
    ) -> Signal:
        kind = BY_NAME[name]
        usual = self._norms.range(name, modality.value)
        if usual.count < RANGE_ITEMS_MIN:
            remark += f" What is usual was measured on {usual.count} items only."
        return Signal(
            name=name,
            modality=modality,
            value=value,
            unit=kind.unit,
            span=span,
            direction=kind.direction,
            typical_low=usual.low,
            typical_high=usual.high,
            explanation=kind.explanation + remark,
            heat_map_HW=heat_map_HW,
        )

    def _worst(self, name: str, modality: Modality, values: npt.NDArray[np.float64]) -> int:
        """The position where the signal is furthest out on the side of tampering."""
        direction = BY_NAME[name].direction
        if direction is Direction.HIGH:
            return int(values.argmax())
        if direction is Direction.LOW:
            return int(values.argmin())
        usual = self._norms.range(name, modality.value)
        return int(np.abs(values - (usual.low + usual.high) / 2).argmax())

    def _frame_signals(
        self,
        frames: FrameBatch,
        readings_F: Sequence[Mapping[str, Reading]],
        modality: Modality,
        start_F: SecondsArray,
        end_F: SecondsArray,
    ) -> list[Signal]:
        signals = []
        for layer, first in readings_F[0].items():
            for name in first.values:
                if not is_reported(name, frames, modality):
                    continue
                values = np.array([readings[layer].values[name] for readings in readings_F])
                worst = self._worst(name, modality, values)
                span = Span(float(start_F[worst]), float(end_F[worst]))
                heat = readings_F[worst][layer].heat_maps.get(name)
                signals.append(self._signal(name, modality, float(values[worst]), span, heat))
        return signals

    def _motion_signals(self, motion: Motion, start_F: SecondsArray) -> list[Signal]:
        whole = Span(float(start_F[0]), float(start_F[-1]))
        signals = [
            self._signal("video.step_volatility", Modality.VIDEO, motion.step_volatility, whole)
        ]
        for name, values in motion.values.items():
            worst = self._worst(name, Modality.VIDEO, values)
            span = Span(float(start_F[worst]), float(start_F[worst + 1]))
            value = float(values[worst])
            heat = motion.heat_maps[worst] if name == "video.local_change" else None
            if name == "video.repeated_frames":
                value = float(values.mean())
                span = whole if value == 0 else span
            signals.append(self._signal(name, Modality.VIDEO, value, span, heat))
        return signals

    def _audio_signals(
        self, short: ShortTime, families: Mapping[str, AudioReading]
    ) -> list[Signal]:
        whole = Span(0.0, float(short.end_seconds_N[-1]))
        signals = []
        for reading in families.values():
            for name, value in reading.values.items():
                span = whole
                if name in reading.local:
                    worst = int(reading.local[name].argmax())
                    start, end = short.start_seconds_N[worst], short.end_seconds_N[worst]
                    span = Span(float(start), float(end))
                signals.append(self._signal(name, Modality.AUDIO, value, span))
        return signals

    def _lag_signals(self, lag: OnsetLag, span: Span) -> list[Signal]:
        signals = [self._signal("av.onset_agreement", Modality.VIDEO, lag.agreement, span)]
        if lag.confidence >= CONFIDENCE_MIN:
            remark = f" Confidence {lag.confidence:.2f}."
            signals.append(
                self._signal("av.onset_lag", Modality.VIDEO, lag.lag_seconds, span, remark=remark)
            )
        return signals
