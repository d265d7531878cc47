"""Sound to features: several layers of Whisper's encoder, and what was said.

Lower layers carry vocoder cues, upper ones what is said (arXiv:2212.04356 for the model): the
judge weighs them. Padded positions are dropped, and most of them are never computed
(`whisper_layout`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from encoders.types import (
    AudioSamples,
    DecodedMedia,
    Encoding,
    FeatureSequence,
    FloatArray,
    Modality,
    Span,
    Transcript,
    TranscriptSegment,
)
from encoders.weights import WeightStore
from encoders.whisper_layout import Layout, Thinning
from encoders.whisper_model import load_model
from encoders.whisper_transcript import Transcriber, is_silent

_RATE_HZ = 16_000
_POSITION_SAMPLES = 320
_POOLED_POSITIONS = 5
_POOLED_SECONDS = _POOLED_POSITIONS * _POSITION_SAMPLES / _RATE_HZ
# Positions at either end of a stretch of silence that see something else through the two
# convolutions (three mel frames) or the spectrum's window (200 samples).
_EDGE_POSITIONS = 4
_FEATURES_VERSION = "1"


@dataclass(frozen=True, slots=True)
class _Window:
    """At most 30 s of one item."""

    item: int
    span: Span
    waveform_T: FloatArray
    layout: Layout

    @property
    def positions(self) -> int:
        return math.ceil(self.waveform_T.size / _POSITION_SAMPLES)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """One window's pooled layers, (N, D) each, and its transcript."""

    layers: dict[str, FloatArray]
    segments: tuple[TranscriptSegment, ...]


class WhisperEncoder:
    """Whisper's encoder at 10 Hz: layers `stem` (after the convolutions) and `block_1`, ...

    model: "starter" (tiny.en from the weight store), or any name that openai-whisper knows.
    checkpoint: a local openai-whisper `.pt`, instead of `model`.
    transcribe: also say what was heard.
    weights: where the starter's weights are; by default the cache.
    windows_max: how many windows of up to 30 s run at once.
    thinning: how padded silence is thinned; None computes all of it.

    Raises:
        WeightsMissing: the weights are not there.
        WeightsError: the checkpoint is no Whisper.
    """

    name = "whisper"

    def __init__(
        self,
        *,
        model: str = "starter",
        checkpoint: Path | None = None,
        transcribe: bool = True,
        device: str = "cpu",
        weights: WeightStore | None = None,
        windows_max: int = 16,
        thinning: Thinning | None = Thinning(),  # noqa: B008 - frozen
    ) -> None:
        self._model, identity = load_model(model, checkpoint, weights or WeightStore())
        self._model.to(device).eval()
        self._device = torch.device(device)
        self._windows_max = windows_max
        self._total = int(self._model.dims.n_audio_ctx)
        self._thinning = thinning or Thinning(margin=self._total)
        self._transcriber = Transcriber(self._model) if transcribe else None
        self.version = f"{_FEATURES_VERSION}-{identity}-{self._thinning}-{transcribe}"

    def encode(self, batch: Sequence[DecodedMedia]) -> list[Encoding]:
        """One `Encoding` an item: a sequence "whisper" and a transcript; empty without sound.

        Positions are the mean over 0.1 s each; the last may be shorter.
        """
        windows = [
            window
            for item, media in enumerate(batch)
            if media.audio is not None
            for window in self._windows(item, media.audio)
        ]
        encoded: dict[int, _Encoded] = {}
        # Neighbours in length share a batch, so that little of it is padding.
        order = sorted(range(len(windows)), key=lambda index: windows[index].positions)
        for start in range(0, len(order), self._windows_max):
            chosen = order[start : start + self._windows_max]
            results = self._encode_windows([windows[index] for index in chosen])
            encoded.update(zip(chosen, results, strict=True))
        parts: list[list[_Encoded]] = [[] for _ in batch]
        for index, window in enumerate(windows):
            parts[window.item].append(encoded[index])
        return [self._join(media, part) for media, part in zip(batch, parts, strict=True)]

    def _windows(self, item: int, audio: AudioSamples) -> Iterator[_Window]:
        waveform_T = _at_whisper_rate(audio)
        size = self._total * _POSITION_SAMPLES
        for start in range(0, waveform_T.size, size):
            part = waveform_T[start : start + size]
            span = Span(start / _RATE_HZ, (start + part.size) / _RATE_HZ)
            sound = math.ceil(part.size / _POSITION_SAMPLES)
            yield _Window(item, span, part, self._thinning.layout(sound, self._total))

    @torch.inference_mode()
    def _encode_windows(self, windows: Sequence[_Window]) -> list[_Encoded]:
        """B windows at once; rows are padded to the longest P, and padding is never attended."""
        stems = [self._stem(window) for window in windows]
        longest = max(stem.shape[0] for stem in stems)
        hidden_BPD = torch.stack(
            [functional.pad(stem, (0, 0, 0, longest - stem.shape[0])) for stem in stems]
        )
        bias_BP = torch.full((len(windows), longest), -math.inf, device=self._device)
        position_BP = torch.zeros((len(windows), longest), dtype=torch.long, device=self._device)
        for row, window in enumerate(windows):
            count = window.layout.positions_P.size
            bias_BP[row, :count] = torch.from_numpy(np.log(window.layout.weights_P)).float()
            position_BP[row, :count] = torch.from_numpy(window.layout.positions_P)
        bias_B11P = bias_BP[:, None, None, :]
        layers = {"stem": hidden_BPD}
        encoder = self._model.encoder
        # Features are taken before the positional embedding: it would tell the length of a clip.
        hidden_BPD = hidden_BPD + encoder.positional_embedding[position_BP]
        for index, block in enumerate(encoder.blocks, start=1):
            hidden_BPD = _block(block, hidden_BPD, bias_B11P)
            layers[f"block_{index}"] = hidden_BPD
        segments = self._transcribe(encoder.ln_post(hidden_BPD), bias_B11P, windows)
        return [
            _Encoded(
                {name: _pool(layer[row, : window.positions]) for name, layer in layers.items()},
                segments[row],
            )
            for row, window in enumerate(windows)
        ]

    def _stem(self, window: _Window) -> torch.Tensor:
        """The convolutions' output (P, D) at the layout's positions, as over the full 30 s.

        Only the sound and a little silence are computed: between its edges silence gives one and
        the same vector, and the edge at the end of a short run is that of the long one.
        """
        from whisper.audio import log_mel_spectrogram

        run = min(self._total, window.positions + 4 * _EDGE_POSITIONS)
        mel = log_mel_spectrogram(
            torch.from_numpy(window.waveform_T),
            self._model.dims.n_mels,
            padding=run * _POSITION_SAMPLES - window.waveform_T.size,
            device=self._device,
        )
        encoder = self._model.encoder
        hidden = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(mel[None]))))[0].T
        positions = torch.from_numpy(window.layout.positions_P).to(self._device)
        from_end = self._total - positions
        index = torch.where(
            from_end <= _EDGE_POSITIONS,
            run - from_end,
            positions.clamp(max=run - 2 * _EDGE_POSITIONS),
        )
        return hidden[positions if run == self._total else index]

    def _transcribe(
        self, encoded_BPD: torch.Tensor, bias_B11P: torch.Tensor, windows: Sequence[_Window]
    ) -> list[tuple[TranscriptSegment, ...]]:
        segments: list[tuple[TranscriptSegment, ...]] = [() for _ in windows]
        audible = [row for row, window in enumerate(windows) if not is_silent(window.waveform_T)]
        if self._transcriber is None or not audible:
            return segments
        heard = self._transcriber.transcribe(
            encoded_BPD[audible], bias_B11P[audible], [windows[row].span for row in audible]
        )
        for row, found in zip(audible, heard, strict=True):
            segments[row] = found
        return segments

    def _join(self, media: DecodedMedia, parts: Sequence[_Encoded]) -> Encoding:
        if media.audio is None:
            return Encoding()
        layers = {
            name: np.concatenate([part.layers[name] for part in parts]) for name in parts[0].layers
        }
        count = layers["stem"].shape[0]
        duration = media.audio.duration_seconds
        starts = np.minimum(np.arange(count) * _POOLED_SECONDS, duration)
        sequence = FeatureSequence(
            encoder=self.name,
            modality=Modality.AUDIO,
            layers=layers,
            start_seconds_N=starts,
            end_seconds_N=np.minimum(starts + _POOLED_SECONDS, duration),
        )
        segments = tuple(segment for part in parts for segment in part.segments)
        return Encoding((sequence,), transcript=Transcript(segments) if segments else None)


def _block(block: Any, hidden_BPD: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """One residual attention block of Whisper's encoder with `bias` added to the logits."""
    attention = block.attn
    normed = block.attn_ln(hidden_BPD)
    query, key, value = (
        project(normed).unflatten(-1, (attention.n_head, -1)).transpose(1, 2)
        for project in (attention.query, attention.key, attention.value)
    )
    attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    hidden_BPD = hidden_BPD + attention.out(attended.transpose(1, 2).flatten(2))
    added: torch.Tensor = block.mlp(block.mlp_ln(hidden_BPD))
    return hidden_BPD + added


def _pool(layer_PD: torch.Tensor) -> FloatArray:
    """Means over five positions; the last over what is left."""
    pooled = functional.avg_pool1d(
        layer_PD.T[None], _POOLED_POSITIONS, ceil_mode=True, count_include_pad=False
    )
    return pooled[0].T.float().cpu().numpy().copy()


def _at_whisper_rate(audio: AudioSamples) -> FloatArray:
    if audio.sample_rate_hz == _RATE_HZ:
        return audio.waveform_T
    from scipy.signal import resample_poly

    common = math.gcd(audio.sample_rate_hz, _RATE_HZ)
    resampled = resample_poly(audio.waveform_T, _RATE_HZ // common, audio.sample_rate_hz // common)
    return np.ascontiguousarray(resampled, dtype=np.float32)
