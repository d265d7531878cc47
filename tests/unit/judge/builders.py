"""Small real models, tokenizers and features for tests of the judge."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from encoders.types import FeatureSequence, MediaFeatures, MediaMetadata, Modality, StreamInfo
from moderation.judge.artefact import PROJECTORS_FILE, JudgeDescription, write_description
from moderation.judge.backbone import file_hashes
from moderation.judge.prompt import POLICY_TEXT
from moderation.judge.sequence_spec import SequenceSpec
from moderation.judge.soft_token import SoftTokenJudge
from moderation.judge.soft_tokens import SoftTokenProjector

CORPUS = [
    POLICY_TEXT,
    "audio 0.0-1.5 clean; video 1.5-3.0 warped region, strong. Ledger: speech Media: Hz user",
    "0 1 2 3 4 5 6 7 8 9 <score>",
]
SPECIAL = ["<unk>", "<s>", "</s>"]

SPECS = (
    SequenceSpec("clip", {"early": 6, "late": 4}, tokens_per_window=2),
    SequenceSpec("whisper", {"block": 5}),
)


def wrap(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def byte_level_bpe(*, splits_digits: bool = True) -> PreTrainedTokenizerFast:
    """The GPT-2 and SmolLM family."""
    tokenizer = Tokenizer(models.BPE())
    steps: list[pre_tokenizers.PreTokenizer] = [pre_tokenizers.ByteLevel(add_prefix_space=False)]
    if splits_digits:
        steps.insert(0, pre_tokenizers.Digits(individual_digits=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return wrap(tokenizer)


def unigram() -> PreTrainedTokenizerFast:
    """The SentencePiece family: spaces become part of pieces."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    return wrap(tokenizer)


def word_piece() -> PreTrainedTokenizerFast:
    """The BERT family: punctuation splits, continuations are marked."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return wrap(tokenizer)


def digitless() -> PreTrainedTokenizerFast:
    """Writes the cue and its digit as one word: no digit has a token of its own."""
    words = ["<unk>", *(f"<score>{k}" for k in range(10)), "<score>"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return wrap(tokenizer)


def language_model(vocabulary: int, *, seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
    )
    return LlamaForCausalLM(config).eval()


def features(
    duration_seconds: float, *, seed: int = 0, encoders: Sequence[str] = ("clip", "whisper")
) -> MediaFeatures:
    """Random features of the `SPECS`, ten positions a second."""
    generator = np.random.default_rng(seed)
    n = max(1, round(10 * duration_seconds))
    edges = np.linspace(0.0, duration_seconds, n + 1)
    sequences = tuple(
        FeatureSequence(
            spec.encoder,
            Modality.VIDEO if spec.encoder == "clip" else Modality.AUDIO,
            {
                name: generator.normal(size=(n, width)).astype(np.float32)
                for name, width in spec.layers.items()
            },
            edges[:-1],
            edges[1:],
        )
        for spec in SPECS
        if spec.encoder in encoders
    )
    stream = StreamInfo("audio", "pcm", sample_rate_hz=8000)
    metadata = MediaMetadata("mp4", 1, f"{seed:064x}", (), (stream,), "pyav")
    return MediaFeatures(metadata, Modality.VIDEO, duration_seconds, sequences, (), None)


def judge(*, batch_items: int = 8, rationale_tokens_max: int = 12) -> SoftTokenJudge:
    """A small random judge with real parts."""
    tokenizer = byte_level_bpe()
    torch.manual_seed(1)
    projector = SoftTokenProjector(SPECS, width=16, lm_width=32)
    description = JudgeDescription(
        name="tiny",
        backbone="none",
        backbone_layers=None,
        width=16,
        specs=SPECS,
        encoders={},
        policy_text=POLICY_TEXT,
        rationale_tokens_max=rationale_tokens_max,
    )
    return SoftTokenJudge(
        description,
        model=language_model(len(tokenizer)),
        tokenizer=tokenizer,
        projector=projector,
        batch_items=batch_items,
    )


def write_backbone(folder: Path) -> Path:
    """The small language model and its tokenizer, as transformers saves them."""
    tokenizer = byte_level_bpe()
    tokenizer.save_pretrained(folder)
    language_model(len(tokenizer)).save_pretrained(folder)
    (folder / "README.md").write_text("no part of the model")
    return folder


def write_judge(folder: Path, backbone: Path, **changes: Any) -> Path:
    """A judge folder around `backbone`; changes: other fields of its description."""
    folder.mkdir()
    projector = SoftTokenProjector(SPECS, width=16, lm_width=32)
    save_file(projector.state_dict(), folder / PROJECTORS_FILE)
    fields: dict[str, Any] = {
        "name": "tiny",
        "backbone": str(backbone),
        "backbone_layers": None,
        "width": 16,
        "specs": SPECS,
        "encoders": {},
        "policy_text": POLICY_TEXT,
        "rationale_tokens_max": 4,
        "backbone_files": file_hashes(backbone),
    }
    write_description(folder, JudgeDescription(**fields | changes))
    return folder
