"""EfficientNet-Lite0 (ImageNet) to the names of timm's `tf_efficientnet_lite0`.

The published file holds the same tensors in the same order under other names
(arXiv:1905.11946; the Lite variants drop squeeze-and-excitation).
"""

from pathlib import Path

from encoders.conversion.tensors import write_tensors
from encoders.errors import WeightsError

TIMM_MODEL = "tf_efficientnet_lite0"


def convert(raw: Path, destination: Path) -> None:
    """Read the checkpoint `raw`, write `model.safetensors` into `destination`.

    Raises:
        WeightsError: the tensors do not pair up with timm's.
    """
    import timm
    import torch

    published = torch.load(raw, map_location="cpu", weights_only=True)
    expected = timm.create_model(TIMM_MODEL, pretrained=False).state_dict()
    shapes = [tuple(value.shape) for value in published.values()]
    shapes_expected = [tuple(value.shape) for value in expected.values()]
    if shapes != shapes_expected:
        raise WeightsError(
            f"{raw.name} holds {len(shapes)} tensors that do not pair up with timm's {TIMM_MODEL}",
            expected=f"{len(shapes_expected)} tensors of the same shapes in the same order",
            remedy="Install the timm version that the constraints file names.",
        )
    renamed = dict(zip(expected, (value.numpy() for value in published.values()), strict=True))
    write_tensors(destination / "model.safetensors", renamed)
