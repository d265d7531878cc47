"""Frames to features: several layers of an open_clip image tower.

Forensic cues sit in early and middle layers, meaning in late ones: the judge weighs them. Each
frame gives five positions (the whole picture, then its quarters), each with the mean and the
standard deviation of every channel over that region: texture statistics live in the second.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from encoders.clip_towers import STARTER, Tower, load_tower
from encoders.second_difference import (
    FRAMES_MIN,
    STARTER_RANGE,
    second_difference_signal,
)
from encoders.types import (
    DecodedMedia,
    Encoding,
    FeatureSequence,
    FloatArray,
    FrameBatch,
    Modality,
    SecondsArray,
    Signal,
)
from encoders.weights import WeightStore

REGIONS = 5
_FEATURES_VERSION = "1"


class ClipEncoder:
    """Layers `layer_<i>` of an open_clip tower, (5 F, 2 D) each, and `video.second_difference`.

    model: "starter" (EfficientNet-Lite0 from the weight store), or an open_clip model's name.
    checkpoint: a local checkpoint of `model`. pretrained: or the tag of weights that open_clip
    knows. layers: which intermediates; by default at most five, evenly spread.
    weights: where the starter's weights are; by default the cache.
    batch_frames: frames that run at once; by default 4 on the CPU and 64 elsewhere.
    dtype: for the tower; by default fp32 on the CPU and bf16 (autocast) on hardware that has it.
    second_difference_range: 5th and 95th percentile of that signal on genuine media, with these
    layers of this tower. Known for the starter's default layers; without it there is no signal.

    Raises:
        WeightsMissing, WeightsError: see `load_tower`.
    """

    name = "clip"

    def __init__(
        self,
        *,
        model: str = STARTER,
        checkpoint: Path | None = None,
        pretrained: str | None = None,
        layers: Sequence[int] | None = None,
        device: str = "cpu",
        weights: WeightStore | None = None,
        batch_frames: int | None = None,
        dtype: torch.dtype | None = None,
        second_difference_range: tuple[float, float] | None = None,
    ) -> None:
        self._device = torch.device(device)
        self._tower: Tower = load_tower(
            model,
            checkpoint=checkpoint,
            pretrained=pretrained,
            layers=None if layers is None else tuple(layers),
            weights=weights or WeightStore(),
        )
        if model == STARTER and layers is None:
            second_difference_range = second_difference_range or STARTER_RANGE
        self._second_difference_range = second_difference_range
        # Channels-last spares oneDNN and cuDNN a reordering around every depthwise convolution.
        self._tower.module.to(self._device, memory_format=torch.channels_last)
        on_cpu = self._device.type == "cpu"
        self._batch_frames = batch_frames or (4 if on_cpu else 64)
        has_bf16 = self._device.type == "cuda" and torch.cuda.is_bf16_supported()
        self._dtype = dtype or (torch.bfloat16 if has_bf16 else torch.float32)
        dtype_name = str(self._dtype).removeprefix("torch.")
        self.version = f"{_FEATURES_VERSION}-{self._tower.identity}-{dtype_name}"

    def encode(self, batch: Sequence[DecodedMedia]) -> list[Encoding]:
        """One `Encoding` an item: a sequence "clip", and a signal for 4 frames of a film or more.

        Positions are ordered by frame, then whole, top left, top right, bottom left, bottom
        right. A frame's time reaches half-way to its neighbours; a still's is 0..0.
        """
        with_frames = [(media, media.frames) for media in batch if media.frames is not None]
        resized = [self._resize(frames) for _, frames in with_frames]
        pooled = self._pooled(torch.cat(resized)) if resized else {}
        encodings = iter(self._split(with_frames, pooled))
        return [Encoding() if media.frames is None else next(encodings) for media in batch]

    def _resize(self, frames: FrameBatch) -> torch.Tensor:
        """uint8 (F, 3, height, width): the whole frame, squashed.

        A centre crop would hide forgeries at the border, and its regions would not be the
        picture's. It runs on the CPU whatever the device: one result everywhere.
        """
        pixels_FCHW = torch.from_numpy(frames.pixels_FHWC).permute(0, 3, 1, 2)
        size = (self._tower.height, self._tower.width)
        return functional.interpolate(pixels_FCHW, size, mode="bicubic", antialias=True)

    @torch.inference_mode()
    def _pooled(self, pixels_FCHW: torch.Tensor) -> dict[str, FloatArray]:
        """Layer name to (F, 5, 2 D), frames of all items together in chunks."""
        chunks: list[list[FloatArray]] = []
        for first in range(0, pixels_FCHW.shape[0], self._batch_frames):
            images = self._normalised(pixels_FCHW[first : first + self._batch_frames])
            with torch.autocast(self._device.type, self._dtype, self._dtype != torch.float32):
                maps = self._tower.intermediates(images)
            chunks.append([region_statistics(layer.float()).cpu().numpy() for layer in maps])
        names = [f"layer_{layer}" for layer in self._tower.layers]
        joined = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
        return dict(zip(names, joined, strict=True))

    def _normalised(self, pixels_FCHW: torch.Tensor) -> torch.Tensor:
        pixels = pixels_FCHW.to(self._device, torch.float32, memory_format=torch.channels_last)
        mean = torch.tensor(self._tower.mean_C, device=self._device).view(1, 3, 1, 1)
        std = torch.tensor(self._tower.std_C, device=self._device).view(1, 3, 1, 1)
        return (pixels / 255 - mean) / std

    def _split(
        self,
        with_frames: Sequence[tuple[DecodedMedia, FrameBatch]],
        pooled: dict[str, FloatArray],
    ) -> list[Encoding]:
        encodings = []
        first = 0
        for media, frames in with_frames:
            count = frames.pixels_FHWC.shape[0]
            layers_FRD = {name: values[first : first + count] for name, values in pooled.items()}
            encodings.append(self._encoding(media, frames, layers_FRD))
            first += count
        return encodings

    def _encoding(
        self, media: DecodedMedia, frames: FrameBatch, layers_FRD: dict[str, FloatArray]
    ) -> Encoding:
        is_video = media.modality is Modality.VIDEO
        starts_F, ends_F = frame_spans(
            frames.timestamps_seconds_F, media.duration_seconds if is_video else 0.0
        )
        sequence = FeatureSequence(
            encoder=self.name,
            modality=Modality.VIDEO if is_video else Modality.IMAGE,
            layers={
                name: values.reshape(-1, values.shape[-1]) for name, values in layers_FRD.items()
            },
            start_seconds_N=np.repeat(starts_F, REGIONS),
            end_seconds_N=np.repeat(ends_F, REGIONS),
        )
        signals: tuple[Signal, ...] = ()
        usual = self._second_difference_range
        if usual is not None and is_video and starts_F.size >= FRAMES_MIN:
            last_FRD = layers_FRD[f"layer_{self._tower.layers[-1]}"]
            embeddings_FD = last_FRD[:, 0, : last_FRD.shape[-1] // 2]
            signals = (second_difference_signal(embeddings_FD, frames.timestamps_seconds_F, usual),)
        return Encoding((sequence,), signals)


def region_statistics(maps_FDHW: torch.Tensor) -> torch.Tensor:
    """Mean and standard deviation over the whole map and its quarters: (F, 5, 2 D).

    Quarters of a side of odd length share its middle row or column, so that all are equal. One
    matrix product a moment; moments are taken around the whole map's mean, so that squares
    cancel nothing.
    """
    weights_RP = _region_weights(*maps_FDHW.shape[-2:], device=maps_FDHW.device)
    values_FPD = maps_FDHW.flatten(2).transpose(1, 2)
    centre_F1D = weights_RP[:1] @ values_FPD
    centred_FPD = values_FPD - centre_F1D
    mean_FRD = weights_RP @ centred_FPD
    variance_FRD = weights_RP @ centred_FPD.square() - mean_FRD.square()
    return torch.cat([mean_FRD + centre_F1D, variance_FRD.clamp(min=0).sqrt()], dim=2)


@cache
def _region_weights(height: int, width: int, *, device: torch.device) -> torch.Tensor:
    """(5, height x width): what each pixel adds to the mean over each region."""
    rows = (slice(0, (height + 1) // 2), slice(height // 2, height))
    columns = (slice(0, (width + 1) // 2), slice(width // 2, width))
    masks = torch.zeros(REGIONS, height, width)
    masks[0] = 1
    for region, (row, column) in enumerate(product(rows, columns), start=1):
        masks[region, row, column] = 1
    flat = masks.flatten(1)
    return (flat / flat.sum(dim=1, keepdim=True)).to(device)


def frame_spans(
    timestamps_seconds_F: SecondsArray, duration_seconds: float
) -> tuple[SecondsArray, SecondsArray]:
    """Start and end of each frame's time: half-way to its neighbours, within the file.

    The first and last reach as far outwards as inwards; a single frame stands for all of it.
    """
    end_of_file = max(duration_seconds, float(timestamps_seconds_F[-1]))
    if timestamps_seconds_F.size == 1:
        return np.zeros(1), np.full(1, end_of_file if duration_seconds > 0 else 0.0)
    middles = (timestamps_seconds_F[1:] + timestamps_seconds_F[:-1]) / 2
    first = 2 * timestamps_seconds_F[0] - middles[0]
    last = 2 * timestamps_seconds_F[-1] - middles[-1]
    edges = np.clip(np.concatenate([[first], middles, [last]]), 0.0, end_of_file)
    return edges[:-1], edges[1:]
