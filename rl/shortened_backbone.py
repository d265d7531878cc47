"""The first layers of a language model, taught to write rationales.

Cut short, a language model says nothing but noise with great confidence, and most of a short
training would go into that. So it learns the form of rationales once, from texts alone: prompts
without any soft tokens, so that it cannot learn what they show. All of its layers learn, the
embedding does not.

B items, T tokens, V vocabulary.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from transformers import AutoConfig

from moderation.judge.backbone_weights import load_backbone, load_tokenizer
from moderation.judge.prompt import POLICY_TEXT, PromptWriter
from moderation.progress import counted
from rl.data import Example
from rl.precision import compute_dtype
from rl.shortening import ShorteningRecipe
from rl.stages.regression import true_rationale


def shorten(
    recipe: ShorteningRecipe,
    backbone: Path,
    examples: Sequence[Example],
    folder: Path,
    *,
    device: str,
    console: Console,
) -> None:
    """Write the model and its tokenizer into `folder`, whole or not at all; once is enough."""
    if folder.exists():
        return
    torch.manual_seed(0)
    model = load_backbone(backbone, dtype=torch.float32, layers=recipe.layers).to(device)
    tokenizer = load_tokenizer(backbone)
    _teach(recipe, model, tokenizer, examples, console)
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    # As precise as the whole model: its embedding stays what it is, to the bit.
    stored = AutoConfig.from_pretrained(str(backbone)).dtype or torch.float32
    model.to(stored).save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(folder)


def writing_loss(
    model: Any, tokenizer: Any, examples: Sequence[Example], generator: np.random.Generator
) -> torch.Tensor:
    """Mean cross entropy of true rationales' tokens behind prompts without soft tokens, scalar."""
    writer = PromptWriter(tokenizer, policy_text=POLICY_TEXT)
    rows = []
    for example in examples:
        prompt = writer.write(example.features)
        text = tokenizer.encode(true_rationale(example, generator), add_special_tokens=False)
        head = [*prompt.prefix, *prompt.item, *prompt.full_cue]
        rows.append((head, [*text, tokenizer.eos_token_id]))
    return _cross_entropy(model, rows)


def _teach(
    recipe: ShorteningRecipe,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    console: Console,
) -> None:
    model.requires_grad_(True).train()
    model.get_input_embeddings().requires_grad_(False)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=recipe.rate, total_steps=recipe.steps, pct_start=0.1
    )
    generator = np.random.default_rng(0)
    with counted(console, recipe.steps, f"steps of the first {recipe.layers} layers") as advance:
        for _ in range(recipe.steps):
            places = generator.integers(len(examples), size=recipe.batch_items)
            batch = [examples[place] for place in places]
            writing_loss(model, tokenizer, batch, generator).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            advance()
    # As it is shipped; the judge is trained around what serving will load.
    for parameter in parameters:
        parameter.data = parameter.data.half().float()
    model.eval()


def _cross_entropy(model: Any, rows: Sequence[tuple[list[int], list[int]]]) -> torch.Tensor:
    """Mean over the rationales' tokens."""
    longest = max(len(prompt) + len(text) for prompt, text in rows)
    ids_BT = torch.zeros(len(rows), longest, dtype=torch.long, device=model.device)
    is_text_BT = torch.zeros_like(ids_BT, dtype=torch.bool)
    mask_BT = torch.zeros_like(ids_BT)
    for b, (prompt, text) in enumerate(rows):
        end = len(prompt) + len(text)
        ids_BT[b, :end] = torch.tensor([*prompt, *text])
        is_text_BT[b, len(prompt) : end] = True
        mask_BT[b, :end] = 1
    device = model.device.type
    with torch.autocast(device, compute_dtype(device), compute_dtype(device) != torch.float32):
        states_BTD = model.get_decoder()(
            input_ids=ids_BT, attention_mask=mask_BT, use_cache=False
        ).last_hidden_state
        logits_TV = model.get_output_embeddings()(states_BTD[:, :-1][is_text_BT[:, 1:]])
    return torch.nn.functional.cross_entropy(logits_TV.float(), ids_BT[:, 1:][is_text_BT[:, 1:]])
