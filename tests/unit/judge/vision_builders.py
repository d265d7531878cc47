"""Small random vision-language models with their real processors, built from local parts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
)
from transformers.models.idefics3.image_processing_idefics3 import Idefics3ImageProcessor
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

from encoders.base import Encoder
from encoders.frames import FramesEncoder
from encoders.types import DecodedMedia, FrameBatch, MediaFeatures, MediaMetadata, Modality
from moderation.judge.artefact import JudgeDescription, write_description
from moderation.judge.backbone import file_hashes
from moderation.judge.prompt import POLICY_TEXT
from moderation.judge.vision_language import VisionLanguageJudge

from .builders import byte_level_bpe

# The form of SmolVLM's published template.
SMOLVLM_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %}{{ ' ' + part['text'] }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
# And of Qwen2.5-VL's.
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,
}


def _tokenizer(*special: str) -> PreTrainedTokenizerFast:
    inner: Tokenizer = byte_level_bpe().backend_tokenizer
    inner.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", eos_token=special[0], pad_token="</s>"
    )


def smolvlm() -> tuple[Any, Any]:
    """The architecture and processor of SmolVLM-Instruct; pictures of 32 x 32, 4 tokens each."""
    tokenizer = _tokenizer(
        *("<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>"),
        "<|im_start|>",
    )
    pictures = Idefics3ImageProcessor(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
    )
    processor = Idefics3Processor(
        pictures, tokenizer, image_seq_len=4, chat_template=SMOLVLM_TEMPLATE
    )
    torch.manual_seed(0)
    config = Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "image_size": 32,
            "patch_size": 8,
            "initializer_range": 0.3,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            **TEXT,
        },
    )
    return Idefics3ForConditionalGeneration(config).eval(), processor


def qwen2_5_vl() -> tuple[Any, Any]:
    """The architecture and processor of Qwen2.5-VL; pictures of about 56 x 56, patches of 14."""
    tokenizer = _tokenizer(
        *("<|im_end|>", "<|im_start|>", "<|vision_start|>", "<|vision_end|>"),
        *("<|image_pad|>", "<|video_pad|>"),
    )
    size = {"shortest_edge": 28 * 28, "longest_edge": 56 * 56}
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(patch_size=14, merge_size=2, temporal_patch_size=2, size=size),
        tokenizer,
        Qwen2VLVideoProcessor(patch_size=14, merge_size=2, temporal_patch_size=2, size=size),
        chat_template=QWEN_TEMPLATE,
    )
    ids = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{text}|>")
        for name, text in (
            ("image", "image_pad"),
            ("video", "video_pad"),
            ("vision_start", "vision_start"),
            ("vision_end", "vision_end"),
        )
    }
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(
        **ids,
        text_config={
            "vocab_size": len(tokenizer),
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [1, 1, 2],
            },
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": None,
            "eos_token_id": tokenizer.eos_token_id,
            **TEXT,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 4,
            "out_hidden_size": 32,
            "fullatt_block_indexes": [1],
            "window_size": 56,
            "patch_size": 14,
            "initializer_range": 0.3,
        },
    )
    return Qwen2_5_VLForConditionalGeneration(config).eval(), processor


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {"smolvlm": smolvlm, "qwen2.5-vl": qwen2_5_vl}


def decoded(frames: int, *, seed: int = 0, height: int = 40, width: int = 60) -> DecodedMedia:
    """Random pictures, two a second."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    modality = Modality.VIDEO if frames > 1 else Modality.IMAGE
    return DecodedMedia(
        MediaMetadata("mp4", 1, f"{seed:064x}", (), (), "pyav"),
        modality,
        frames / 2 if frames > 1 else 0.0,
        FrameBatch(pixels, np.arange(frames) / 2, height, width),
        None,
    )


def pictured(frames: int, *, seed: int = 0, height: int = 40, width: int = 60) -> MediaFeatures:
    """Features of `decoded`, by the real encoder."""
    media = decoded(frames, seed=seed, height=height, width=width)
    encoding = FramesEncoder(frames_max=3, side_max=64).encode([media])[0]
    return MediaFeatures(
        media.metadata, media.modality, media.duration_seconds, encoding.sequences, (), None
    )


def description(**changes: Any) -> JudgeDescription:
    fields: dict[str, Any] = {
        "name": "tiny-vision",
        "backbone": "none",
        "backbone_layers": None,
        "width": 0,
        "specs": (),
        "encoders": {},
        "policy_text": POLICY_TEXT,
        "rationale_tokens_max": 12,
    }
    return JudgeDescription(**fields | changes)


def vision_judge(
    family: str, *, batch_items: int = 8, rationale_tokens_max: int = 12
) -> VisionLanguageJudge:
    """A small random judge with real parts."""
    model, processor = FAMILIES[family]()
    return VisionLanguageJudge(
        description(rationale_tokens_max=rationale_tokens_max),
        model=model,
        processor=processor,
        batch_items=batch_items,
    )


def write_vision_judge(folder: Path, family: str, encoder: Encoder) -> Path:
    """A judge folder, with its model in `folder`/model."""
    model, processor = FAMILIES[family]()
    backbone = folder / "model"
    model.save_pretrained(backbone)
    processor.save_pretrained(backbone)
    described = description(
        backbone=str(backbone),
        backbone_files=file_hashes(backbone),
        encoders={encoder.name: encoder.version},
    )
    write_description(folder, described)
    return folder
