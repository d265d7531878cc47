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
        self._is_last_only = False
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        inner.base_model.register_forward_hook(self._keep)

    @contextmanager
    def whole(self) -> Iterator[list[torch.Tensor]]:
        """Fills a list with the (B, T, D) of every forward pass."""
        with self._keeping(is_last_only=False) as kept:
            yield kept

    @contextmanager
    def last(self) -> Iterator[list[torch.Tensor]]:
        """Fills a list with the (B, D) at the last position of every forward pass.

        In generation entry t is the state that predicts completion token t.
        """
        with self._keeping(is_last_only=True) as kept:
            yield kept

    @contextmanager
    def _keeping(self, *, is_last_only: bool) -> Iterator[list[torch.Tensor]]:
        kept: list[torch.Tensor] = []
        self._kept, self._is_last_only = kept, is_last_only
        try:
            yield kept
        finally:
            self._kept = None

    def _keep(self, _module: Any, _inputs: Any, output: Any) -> None:
        if self._kept is not None:
            hidden_BTD = output.last_hidden_state
            self._kept.append(hidden_BTD[:, -1] if self._is_last_only else hidden_BTD)
