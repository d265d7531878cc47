"""open_clip image towers with real weights, and how each wants its pictures."""

import math
import pickle
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from encoders.errors import WeightsError, WeightsMissing
from encoders.weight_manifest import file_sha256
from encoders.weights import WeightStore

STARTER = "starter"
STARTER_ARTEFACT = "efficientnet-lite0"

_STARTER_MODEL = "starter-efficientnet-lite0"
# EfficientNet-Lite was trained on pixels in [-1, 1], not with CLIP's own mean.
_STARTER_PREPROCESSING = {"size": 224, "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
_LAYERS_MAX = 5


@dataclass(frozen=True, slots=True)
class Tower:
    """The visual half of an open_clip model.

    module: has open_clip's `forward_intermediates`. height, width: of its input.
    mean_C, std_C: of its input, in [0, 1]. layers: intermediates to take, ascending.
    identity: names exactly these weights and layers.
    """

    module: Any
    height: int
    width: int
    mean_C: tuple[float, ...]
    std_C: tuple[float, ...]
    layers: tuple[int, ...]
    identity: str

    def intermediates(self, images_FCHW: torch.Tensor) -> list[torch.Tensor]:
        """Feature maps (F, D, h, w) of the chosen layers; computes nothing above the last."""
        output = self.module.forward_intermediates(
            images_FCHW,
            indices=list(self.layers),
            stop_early=True,
            intermediates_only=True,
            output_fmt="NCHW",
        )
        maps: list[torch.Tensor] = output["image_intermediates"]
        return maps


def load_tower(
    model: str,
    *,
    checkpoint: Path | None,
    pretrained: str | None,
    layers: tuple[int, ...] | None,
    weights: WeightStore,
) -> Tower:
    """Build the image tower of an open_clip model; the text tower is dropped.

    Raises:
        WeightsMissing: no weights for this model, here or from its own source.
        WeightsError: the checkpoint is of another model.
    """
    import open_clip

    if model == STARTER:
        visual, identity = starter_tower(weights)
        wanted: dict[str, Any] = _STARTER_PREPROCESSING
    else:
        module, identity = _pretrained(model, checkpoint, pretrained)
        visual, wanted = module.visual, open_clip.get_model_preprocess_cfg(module)
    visual.eval()
    height, width = _size(wanted["size"])
    count = _count_intermediates(visual, height, width)
    chosen = _spread(count) if layers is None else tuple(sorted(set(layers)))
    if not chosen or not all(0 <= layer < count for layer in chosen):
        raise WeightsError(
            f"layers {layers} of {model!r}",
            expected=f"some of 0..{count - 1}",
            remedy="Name layers that the model has.",
        )
    return Tower(
        module=visual,
        height=height,
        width=width,
        mean_C=tuple(wanted["mean"]),
        std_C=tuple(wanted["std"]),
        layers=chosen,
        identity=f"{identity}-{'.'.join(map(str, chosen))}",
    )


def starter_tower(weights: WeightStore, *, is_folded: bool = True) -> tuple[Any, str]:
    """The starter's image tower and the name of its weights.

    is_folded: batch norms become part of the convolutions, which saves a quarter of the time.

    Raises:
        WeightsMissing: not in the store.
    """
    import open_clip
    from safetensors.torch import load_file

    folder = weights.path(STARTER_ARTEFACT)
    with _starter_configuration() as path:
        open_clip.add_model_config(path)
    # Built without the factory, which warns of random weights: they are loaded below.
    visual = open_clip.CLIP(**open_clip.get_model_config(_STARTER_MODEL)).visual
    tensors = load_file(folder / "model.safetensors")
    trunk = {name: value for name, value in tensors.items() if not name.startswith("classifier.")}
    visual.trunk.load_state_dict(trunk)
    visual.eval()
    if is_folded:
        _fold_batch_norms(visual.trunk)
    return visual, folder.name


def _starter_configuration() -> AbstractContextManager[Path]:
    return resources.as_file(resources.files("encoders").joinpath("open_clip_configs"))


def _fold_batch_norms(module: torch.nn.Module) -> None:
    """Fold each batch norm into the convolution defined before it.

    In this trunk a norm always follows its convolution, in order of definition too.
    """
    from timm.layers import BatchNormAct2d
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    before = ("", module)
    for name, child in list(module.named_children()):
        if isinstance(child, BatchNormAct2d) and isinstance(before[1], torch.nn.Conv2d):
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, child.act)
        else:
            _fold_batch_norms(child)
        before = (name, child)


def _pretrained(model: str, checkpoint: Path | None, tag: str | None) -> tuple[Any, str]:
    if checkpoint is not None:
        if not checkpoint.is_file():
            raise WeightsMissing(
                f"{checkpoint} is no file",
                expected=f"a checkpoint of {model}",
                remedy="Check the path.",
            )
        return _create(model, str(checkpoint)), f"{model}-{file_sha256(checkpoint)[:12]}"
    if tag is not None:
        return _create(model, tag), f"{model}-{tag}"
    raise WeightsMissing(
        f"open_clip model {model!r} comes without weights",
        expected="a checkpoint, or the name of pretrained weights",
        remedy="Give `checkpoint` or `pretrained`; random features must not score anything.",
    )


def _create(model: str, pretrained: str) -> Any:
    import open_clip

    try:
        return open_clip.create_model(model, pretrained=pretrained, require_pretrained=True)
    except (OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        if (model, pretrained) in open_clip.list_pretrained():
            raise WeightsMissing(
                f"{pretrained!r} for {model!r} cannot be had ({error})",
                expected="weights in the hub's cache, or a network",
                remedy="Name a local checkpoint instead.",
            ) from error
        raise WeightsError(
            f"open_clip cannot load {pretrained!r} into {model!r} ({error})",
            expected="one of open_clip.list_pretrained(), or a checkpoint of that model",
            remedy="Check both names.",
        ) from error


def _size(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


@dataclass(frozen=True, slots=True)
class TowerShape:
    """parameters: how many. channels: of each layer that is taken, by its index."""

    parameters: int
    channels: dict[int, int]


def tower_shape(model: str, *, layers: tuple[int, ...] | None = None) -> TowerShape:
    """Sizes of a model's image tower, without its weights.

    Raises:
        WeightsError: open_clip knows no such model.
    """
    import open_clip

    name = _STARTER_MODEL if model == STARTER else model
    with _starter_configuration() as path:
        open_clip.add_model_config(path)
        configuration = open_clip.get_model_config(name)
    if configuration is None:
        raise WeightsError(
            f"open_clip has no model {model!r}",
            expected="'starter' or one of open_clip.list_models()",
            remedy="Check the name.",
        )
    size = configuration["vision_cfg"].get("image_size", _STARTER_PREPROCESSING["size"])
    height, width = _size(size)
    with torch.device("meta"), torch.inference_mode():
        visual = open_clip.CLIP(**configuration).visual.eval()
        pixels = torch.zeros(1, 3, height, width)
        found = visual.forward_intermediates(pixels, intermediates_only=True, output_fmt="NCHW")
    maps = found["image_intermediates"]
    chosen = _spread(len(maps)) if layers is None else layers
    return TowerShape(
        parameters=sum(parameter.numel() for parameter in visual.parameters()),
        channels={layer: int(maps[layer].shape[1]) for layer in chosen},
    )


@torch.inference_mode()
def _count_intermediates(visual: Any, height: int, width: int) -> int:
    """How many layers the tower offers: open_clip names no such number for every tower."""
    output = visual.forward_intermediates(torch.zeros(1, 3, height, width), intermediates_only=True)
    return len(output["image_intermediates"])


def _spread(count: int) -> tuple[int, ...]:
    """At most five layers, evenly from the first quarter to the last layer."""
    if count <= _LAYERS_MAX:
        return tuple(range(count))
    return tuple(math.ceil(count * step / _LAYERS_MAX) - 1 for step in range(1, _LAYERS_MAX + 1))
