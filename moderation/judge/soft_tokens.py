"""Encoder features to soft tokens in the language model's embedding space.

Per encoder: normalise, project each layer, mix layers by a learned gate, add a time embedding,
pool within windows of time by attention. A window has a fixed number of tokens, so media costs a
fixed budget of soft tokens per second and modality, and every soft token has a start and an end.

B items, N feature positions, W windows, Q queries (tokens a window), D width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from encoders.types import FeatureSequence, FloatArray, MediaFeatures, Modality, SecondsArray
from moderation.judge.sequence_spec import SequenceSpec

TIME_FREQUENCIES = 8
FEATURE_CLIP = 8.0
# Sound that ends this much before its file was cut by the limit on sound, or is over; nearer the
# end the two lengths differ by how a codec pads.
_UNREAD_SECONDS_MIN = 1.0


@dataclass(frozen=True, slots=True)
class SoftTokens:
    """embeddings_ND: one item's tokens in order. start/end_seconds: the time of each."""

    embeddings_ND: torch.Tensor
    start_seconds: tuple[float, ...]
    end_seconds: tuple[float, ...]
    encoders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindowedSequences:
    """One encoder's features of several items, padded, with the windows that pool them.

    layers: name -> (B, N, D_l). times_BN2: middle and width, seconds.
    member_BWN: which positions window w reads. window_count: windows of each item.
    """

    layers: dict[str, torch.Tensor]
    times_BN2: torch.Tensor
    member_BWN: torch.Tensor
    window_count: tuple[int, ...]
    edges: tuple[tuple[float, ...], ...]


def window_members(
    middle_seconds_N: SecondsArray, edges_seconds: Sequence[float]
) -> npt.NDArray[np.bool_]:
    """(W, N) bool: positions whose middle lies in each window; the nearest one if none does."""
    starts, ends = np.asarray(edges_seconds[:-1]), np.asarray(edges_seconds[1:])
    middle = np.clip(middle_seconds_N, edges_seconds[0], np.nextafter(edges_seconds[-1], 0.0))
    member_WN: npt.NDArray[np.bool_] = (middle[None] >= starts[:, None]) & (
        middle[None] < ends[:, None]
    )
    for window in np.flatnonzero(~member_WN.any(axis=1)):
        centre = (starts[window] + ends[window]) / 2
        member_WN[window, np.abs(middle_seconds_N - centre).argmin()] = True
    return member_WN


def covered_seconds(sequence: FeatureSequence, duration_seconds: float) -> float:
    """Where the last window ends: at the end of the file, or of sound that ends before it.

    Windows over time without sound would all repeat the last position, and tell a time that
    nobody listened to.
    """
    end = float(sequence.end_seconds_N.max())
    if sequence.modality is Modality.AUDIO and end < duration_seconds - _UNREAD_SECONDS_MIN:
        return end
    return duration_seconds


def collate(
    spec: SequenceSpec, items: Sequence[tuple[FeatureSequence, float]], device: torch.device
) -> WindowedSequences:
    """Pad (sequence, duration) pairs of one encoder to a batch.

    Raises:
        KeyError: a sequence lacks one of the spec's layers.
    """
    longest = max(len(sequence.start_seconds_N) for sequence, _ in items)
    lengths = [covered_seconds(sequence, duration) for sequence, duration in items]
    counts = tuple(spec.windows(length) for length in lengths)
    member = np.zeros((len(items), max(counts), longest), dtype=bool)
    times = np.zeros((len(items), longest, 2), dtype=np.float32)
    layers = {
        name: np.zeros((len(items), longest, width), dtype=np.float32)
        for name, width in spec.layers.items()
    }
    all_edges = []
    for row, (sequence, _) in enumerate(items):
        n = len(sequence.start_seconds_N)
        middle = (sequence.start_seconds_N + sequence.end_seconds_N) / 2
        edges = tuple(np.linspace(0.0, max(lengths[row], 1e-3), counts[row] + 1).tolist())
        member[row, : counts[row], :n] = window_members(middle, edges)
        times[row, :n, 0] = middle
        times[row, :n, 1] = sequence.end_seconds_N - sequence.start_seconds_N
        for name in spec.layers:
            layers[name][row, :n] = sequence.layers[name]
        all_edges.append(edges)
    return WindowedSequences(
        {name: torch.from_numpy(values).to(device) for name, values in layers.items()},
        torch.from_numpy(times).to(device),
        torch.from_numpy(member).to(device),
        counts,
        tuple(all_edges),
    )


class SequenceProjector(nn.Module):
    """One encoder's windows to (B, W, Q, D_lm) embeddings."""

    def __init__(self, spec: SequenceSpec, *, width: int, lm_width: int, lm_norm: float) -> None:
        super().__init__()
        self.spec = spec
        self.layer_names = tuple(spec.layers)
        for name, layer_width in spec.layers.items():
            self.register_buffer(f"mean_{name}", torch.zeros(layer_width))
            self.register_buffer(f"scale_{name}", torch.ones(layer_width))
        self.layer_in = nn.ModuleDict(
            {name: nn.Linear(layer_width, width) for name, layer_width in spec.layers.items()}
        )
        self.gate = nn.Parameter(torch.zeros(len(spec.layers)))
        self.time_in = nn.Linear(4 * TIME_FREQUENCIES, width)
        self.mix = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.queries = nn.Parameter(torch.randn(spec.tokens_per_window, width) * width**-0.5)
        self.key = nn.Linear(width, width)
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, lm_width))
        self.out_norm = nn.LayerNorm(lm_width)
        nn.init.constant_(self.out_norm.weight, lm_norm)

    def fit_normalisation(self, layers: Mapping[str, FloatArray]) -> None:
        """Set mean and scale of each layer from training features, name -> (N, D_l)."""
        for name in self.layer_names:
            values = layers[name]
            getattr(self, f"mean_{name}").copy_(torch.from_numpy(values.mean(0)))
            getattr(self, f"scale_{name}").copy_(torch.from_numpy(values.std(0) + 1e-4))

    def forward(self, batch: WindowedSequences) -> torch.Tensor:
        """(B, W, Q, D_lm); rows of absent windows hold values that nobody reads."""
        weights = self.gate.softmax(0)
        hidden_BND = self.time_in(time_features(batch.times_BN2))
        for weight, name in zip(weights, self.layer_names, strict=True):
            mean, scale = getattr(self, f"mean_{name}"), getattr(self, f"scale_{name}")
            normal = ((batch.layers[name] - mean) / scale).clamp(-FEATURE_CLIP, FEATURE_CLIP)
            hidden_BND = hidden_BND + weight * len(weights) * self.layer_in[name](normal)
        hidden_BND = hidden_BND + self.mix(hidden_BND)
        score_BQN = (
            self.queries @ self.key(hidden_BND).transpose(1, 2) / hidden_BND.shape[-1] ** 0.5
        )
        score_BWQN = score_BQN[:, None].masked_fill(~batch.member_BWN[:, :, None], -1e9)
        pooled_BWQD = torch.einsum("bwqn,bnd->bwqd", score_BWQN.softmax(-1), hidden_BND)
        return self.out_norm(self.out(pooled_BWQD + self.queries))  # type: ignore[no-any-return]


def time_features(times_BN2: torch.Tensor) -> torch.Tensor:
    """(B, N, 2) seconds to (B, N, 4 * TIME_FREQUENCIES) sines and cosines, periods .25 to 32 s."""
    period = 2.0 ** torch.arange(-2, TIME_FREQUENCIES - 2, device=times_BN2.device)
    angle = (2 * math.pi * times_BN2[..., None] / period).flatten(-2)
    return torch.cat([angle.sin(), angle.cos()], -1)


class SoftTokenProjector(nn.Module):
    """All encoders' projectors; the tokens of an item stand encoder by encoder, in spec order."""

    def __init__(
        self, specs: Sequence[SequenceSpec], *, width: int, lm_width: int, lm_norm: float = 1.0
    ) -> None:
        super().__init__()
        self.specs = tuple(specs)
        self.projectors = nn.ModuleDict(
            {
                spec.encoder: SequenceProjector(
                    spec, width=width, lm_width=lm_width, lm_norm=lm_norm
                )
                for spec in specs
            }
        )

    def fit_normalisation(self, encoder: str, layers: Mapping[str, FloatArray]) -> None:
        """Standardise one encoder's layers, name -> (N, D_l) over the training features."""
        projector = self.projectors[encoder]
        assert isinstance(projector, SequenceProjector)  # noqa: S101 - narrows nn.Module
        projector.fit_normalisation(layers)

    def forward(self, batch: Sequence[MediaFeatures]) -> list[SoftTokens]:
        """Soft tokens of each item, in order; an item without any known sequence gets none."""
        device = next(self.parameters()).device
        parts: list[list[SoftTokens]] = [[] for _ in batch]
        for spec in self.specs:
            found = [
                (row, sequence, item.duration_seconds)
                for row, item in enumerate(batch)
                for sequence in item.sequences
                if sequence.encoder == spec.encoder
            ]
            if not found:
                continue
            windows = collate(spec, [(sequence, length) for _, sequence, length in found], device)
            tokens_BWQD = self.projectors[spec.encoder](windows)
            for place, (row, _, _) in enumerate(found):
                count, edges = windows.window_count[place], windows.edges[place]
                tokens = tokens_BWQD[place, :count].flatten(0, 1)
                q = spec.tokens_per_window
                parts[row].append(
                    SoftTokens(
                        tokens,
                        tuple(t for t in edges[:-1] for _ in range(q)),
                        tuple(t for t in edges[1:] for _ in range(q)),
                        (spec.encoder,) * (count * q),
                    )
                )
        return [_join(item_parts, device) for item_parts in parts]


def _join(parts: Sequence[SoftTokens], device: torch.device) -> SoftTokens:
    if not parts:
        return SoftTokens(torch.empty(0, 0, device=device), (), (), ())
    return SoftTokens(
        torch.cat([part.embeddings_ND for part in parts]),
        tuple(t for part in parts for t in part.start_seconds),
        tuple(t for part in parts for t in part.end_seconds),
        tuple(name for part in parts for name in part.encoders),
    )
