"""In what precision a model is trained."""

import torch


def compute_dtype(device: str) -> torch.dtype:
    """bfloat16 where the hardware computes in it, else float32."""
    if device.startswith("cuda"):
        has_bf16 = torch.cuda.is_bf16_supported()
    else:
        has_bf16 = device == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return torch.bfloat16 if has_bf16 else torch.float32
