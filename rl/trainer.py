"""REAL on TRL: rollouts scored by their digit distribution, and a loss with two terms.

B rollouts of this process, S of them scored, N groups of G rollouts, T completion tokens, K score
levels, V vocabulary, D width.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import RepeatSampler

from moderation.judge.backbone_weights import quiet_peft
from moderation.judge.score_head import SCORE_CUE
from rl.completion_pass import CompletionPass
from rl.hidden_states import HiddenStates
from rl.objective import soft_labels
from rl.on_policy import require_labels, require_on_policy, require_plain_head
from rl.rollout_metrics import ValidationScores, rollout_metrics
from rl.rollout_objective import RolloutObjective
from rl.rollouts import Rollouts, read_scores
from rl.score_cue import ScoreCue

RolloutFunction = Callable[[list[Any], "RealTrainer"], dict[str, Any]]


class EpochSampler(RepeatSampler):  # type: ignore[misc]
    """TRL's order of prompts, seeded by the epoch, so that a resumed run sees the same order."""

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader before each epoch."""
        if self.shuffle:
            self.generator.manual_seed(self.seed + epoch)


class RealTrainer(GRPOTrainer):  # type: ignore[misc]
    """Trains a judge that writes a rationale and then a score behind a cue.

    The gradient that it follows is, over `max_completion_length` (TRL's scale under dr_grpo),

        (1/B) sum_i [ A_i dlog pi(c_i | x) - d direct_loss_i ]

    with advantages and direct loss of the `objective`; for REAL (arXiv:2603.17145) the direct loss
    is -beta r. The score comes from the digit distribution behind the first cue; the states that
    generation leaves there give reward and advantage, those of the loss's own forward pass give
    the direct loss, so no forward pass is added.

    model: transformers causal LM, PEFT model, or name, as GRPOTrainer takes it.
    train_dataset, eval_dataset: columns `prompt` and `y`, the label in 0..9; `raters`, the K
        probabilities of the raters' scores, stands for the label's distribution where it is given.
    score_cue: the phrase that the score follows.
    rollout_func: writes the completions in place of TRL; beside what TRL asks of it, returns
        `score_index` (index of the score token in each completion, None where it was cut off) and
        `score_logits` ((V,) logits there, or None), and for a judge of media `media_row`, the item
        of each row, which reaches the model as `pixel_values` (B,), and `claim_overlap`, how far
        what it claims is true.

    Raises:
        ConfigurationError: options, model or labels under which the loss would be another one.
        TokenizerError: a digit behind the cue is not one token.
    """

    def __init__(
        self,
        model: Any,
        *,
        args: GRPOConfig,
        objective: RolloutObjective,
        train_dataset: Any,
        processing_class: Any,
        score_cue: str = SCORE_CUE,
        eval_dataset: Any = None,
        callbacks: Sequence[Any] | None = None,
        rollout_func: RolloutFunction | None = None,
        **options: Any,
    ) -> None:
        require_on_policy(args)
        for dataset in (train_dataset, eval_dataset):
            if dataset is not None:
                require_labels(dataset)
        tokenizer = getattr(processing_class, "tokenizer", processing_class)
        self._cue = ScoreCue(tokenizer, score_cue)
        self._objective = objective
        with quiet_peft(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You are using 'rollout_func'", UserWarning)
            super().__init__(
                model,
                reward_funcs=self.score_reward,
                args=args,
                train_dataset=train_dataset,
                eval_dataset=eval_dataset,
                processing_class=processing_class,
                callbacks=list(callbacks or ()),
                rollout_func=rollout_func,
                **options,
            )
        require_plain_head(self.model.config)
        self._hidden = HiddenStates(self.model)
        self._completion_pass = CompletionPass(self.model)
        self._states_BCD: torch.Tensor | None = None
        self._digit_ids_K = torch.tensor(self._cue.digit_ids_K, device=self.accelerator.device)
        self._validation = ValidationScores()
        self._generated: list[torch.Tensor] = []
        self._scored: _ScoredRollouts | None = None

    # The methods with an underscore that follow are GRPOTrainer's of TRL 1.16.0; they move between
    # releases, so look at them again when the pin does.

    def _send_telemetry(self) -> None:
        """Nothing: whoever trains a judge was not asked."""

    def _get_train_sampler(self, dataset: Any = None) -> EpochSampler:
        return EpochSampler(
            data_source=self.train_dataset if dataset is None else dataset,
            mini_repeat_count=self.num_generations,
            batch_size=self.args.generation_batch_size // self.num_generations,
            repeat_count=self.args.steps_per_generation,
            shuffle=self.shuffle_dataset,
            seed=self.args.seed,
        )

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """TRL's batch, with advantages (B, T) and what the direct loss needs, row by row."""
        with quiet_peft(), self._hidden.last() as self._generated:
            output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        self._generated = []
        scored = self._scored
        assert scored is not None  # noqa: S101 - TRL calls the reward function
        gather = self.accelerator.gather
        is_training = self.model.training
        rollouts_G = self.num_generations if is_training else self.num_generations_eval
        reward_NG = gather(scored.reward_B).view(-1, rollouts_G)
        advantage_NG = torch.zeros_like(reward_NG)
        if is_training:
            advantage_NG = self._objective.advantages(reward_NG)
        index_B, is_scored_B = scored.index_B, scored.rollouts.is_scored_B
        start = self.accelerator.process_index * len(index_B)
        advantage_B = advantage_NG.flatten()[start : start + len(index_B)]
        # TRL's own advantages went into its table of completions.
        self._logs["advantages"].extend(advantage_NG.flatten().tolist())
        place_T = torch.arange(output["completion_ids"].shape[1], device=index_B.device)
        is_credited_BT = (place_T < index_B[:, None]) | ~is_scored_B[:, None]
        if self._objective.credits_score:
            is_credited_BT = torch.ones_like(is_credited_BT)
        if "media_row" in inputs[0]:
            # TRL carries this name, one image a row, through shuffling and splitting to the model.
            rows = [row["media_row"] for row in inputs]
            output["pixel_values"] = torch.tensor(rows, device=index_B.device)
            output["num_images"] = [1] * len(rows)
        everywhere = scored.rollouts.gathered(gather)
        self._record(everywhere, reward_NG, advantage_NG, gather(index_B))
        return output | {
            "advantages": advantage_B[:, None] * is_credited_BT,
            "score_index": index_B,
            "y": scored.rollouts.y_B,
            "target": scored.rollouts.target_BK,
        }

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        *unused: Any,
        compute_entropy: bool = False,
        pixel_values: torch.Tensor | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        """TRL's, with the output head on completion tokens alone and each prompt run once.

        Keeps the states that predict completion tokens.
        """
        prompt_tokens = input_ids.shape[1] - logits_to_keep
        is_token_BC = attention_mask[:, prompt_tokens:].bool()
        shown = torch.cat([input_ids[:, :prompt_tokens], attention_mask[:, :prompt_tokens]], 1)
        given = {"input_ids": input_ids, "attention_mask": attention_mask}
        if pixel_values is not None:
            shown = torch.cat([shown, pixel_values[:, None]], 1)
            given["pixel_values"] = pixel_values
        target_1S = input_ids[:, prompt_tokens:][is_token_BC][None]
        prompts = [tuple(row) for row in shown.tolist()]
        with self._completion_pass.of(is_token_BC, prompts) as states, self.accelerator.autocast():
            output = model(**given, shift_labels=target_1S, fused_lm_head=True)
        (self._states_BCD,) = states
        nought_BC = output.log_probs.new_zeros(is_token_BC.shape)
        log_p_BC = nought_BC.masked_scatter(is_token_BC, output.log_probs)
        if not compute_entropy:
            return log_p_BC, None, None
        return log_p_BC, nought_BC.masked_scatter(is_token_BC, output.entropy), None

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        states_BCD, self._states_BCD = self._states_BCD, None
        if not self._objective.has_direct_loss:
            return loss
        assert states_BCD is not None  # noqa: S101 - TRL's loss asks for log-probabilities
        index_B = inputs["score_index"]
        row_S = (index_B >= 0).nonzero()[:, 0]
        rollouts = read_scores(
            self._logits(states_BCD[row_S, index_B[row_S]]),
            self._digit_ids_K,
            is_scored_B=index_B >= 0,
            y_B=inputs["y"],
            target_BK=inputs["target"],
        )
        # dr_grpo divides the sum over tokens by the longest length; the terms keep their ratio.
        steps = self.current_gradient_accumulation_steps if self.model.training else 1
        scale: int = self.max_completion_length * steps
        return loss + self._objective.direct_loss(rollouts) / scale

    def evaluation_loop(self, *arguments: Any, **options: Any) -> Any:
        """TRL's, with Spearman's correlation and the share of scored rollouts in the metrics."""
        self._validation.clear()
        output = super().evaluation_loop(*arguments, **options)
        prefix = options.get("metric_key_prefix", "eval")
        for name, value in self._validation.metrics().items():
            output.metrics[f"{prefix}_{name}"] = value
        return output

    @torch.no_grad()
    def score_reward(
        self, completion_ids: Sequence[Sequence[int]], y: Sequence[float], **columns: Any
    ) -> list[float]:
        """Rewards of rollouts that were just written; called by TRL as its reward function."""
        device = self.accelerator.device
        rows = range(len(completion_ids))
        if self.rollout_func is None:
            places = [self._cue.score_index(ids) for ids in completion_ids]
            scored = [(row, place) for row, place in zip(rows, places, strict=True) if place]
            states = [self._generated[place][row] for row, place in scored]
            logits_SV = self._logits(torch.stack(states)) if states else None
        else:
            places = columns["score_index"]
            found = [logits for logits in columns["score_logits"] if logits is not None]
            logits_SV = torch.stack(found).to(device).float() if found else None
        levels = [
            None if place is None else self._cue.level(ids[place])
            for ids, place in zip(completion_ids, places, strict=True)
        ]
        index_B = torch.tensor([-1 if p is None else p for p in places], device=device)
        y_B = torch.tensor(y, dtype=torch.float32, device=device)
        target_BK = soft_labels(y_B)
        for row, raters_K in enumerate(columns.get("raters", ())):
            if raters_K is not None:
                target_BK[row] = torch.tensor(raters_K, device=device)
        if logits_SV is None:
            logits_SV = torch.empty(0, int(self._digit_ids_K.max()) + 1, device=device)
        rollouts = read_scores(
            logits_SV,
            self._digit_ids_K,
            is_scored_B=index_B >= 0,
            y_B=y_B,
            target_BK=target_BK,
            level_B=torch.tensor([-1 if k is None else k for k in levels], device=device),
            overlap_B=torch.tensor(columns["claim_overlap"], device=device)
            if "claim_overlap" in columns
            else None,
        )
        reward_B = self._objective.rewards(rollouts)
        self._scored = _ScoredRollouts(rollouts, reward_B, index_B)
        return list(reward_B.tolist())

    def _logits(self, hidden_SD: torch.Tensor) -> torch.Tensor:
        with self.accelerator.autocast():
            model = self.accelerator.unwrap_model(self.model)
            logits_SV: torch.Tensor = model.get_output_embeddings()(hidden_SD)
        return logits_SV.to(torch.promote_types(logits_SV.dtype, torch.float32))

    def _record(
        self,
        rollouts: Rollouts,
        reward_NG: torch.Tensor,
        advantage_NG: torch.Tensor,
        index_B: torch.Tensor,
    ) -> None:
        figures = rollout_metrics(rollouts, reward_NG, advantage_NG, index_B)
        mode = "train" if self.model.training else "eval"
        for name, value in figures.items():
            self._metrics[mode][name].append(value)
        if mode == "eval":
            self._validation.add(rollouts, reward_NG.shape[1])


@dataclass(frozen=True, slots=True)
class _ScoredRollouts:
    """index_B: place of the score token in the completion, -1 where there is none."""

    rollouts: Rollouts
    reward_B: torch.Tensor
    index_B: torch.Tensor
