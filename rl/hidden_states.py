"""Keeps the last hidden states that a causal language model computes anyway."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class HiddenStates:
    """Listens to the body of a causal language model, below its output head.

    model: transformers causal LM, or a PEFT model around one.
    """

    def __init__(self, model: Any) -> None:
        self._kept: list[torch.Tensor] | None = None
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        inner.base_model.register_forward_hook(self._keep)

    @contextmanager
    def last(self) -> Iterator[list[torch.Tensor]]:
        """Fills a list with the (B, D) at the last position of every forward pass.

        In generation entry t is the state that predicts completion token t.
        """
        kept = self._kept = []
        try:
            yield kept
        finally:
            self._kept = None

    def _keep(self, _module: Any, _inputs: Any, output: Any) -> None:
        if self._kept is not None:
            self._kept.append(output.last_hidden_state[:, -1])
