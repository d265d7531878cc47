from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from encoders.frames import FramesEncoder, pictures
from encoders.types import MediaFeatures, Span, Transcript, TranscriptSegment
from moderation.errors import ConfigurationError, TokenizerError
from moderation.judge.artefact import read_description
from moderation.judge.picture_prompt import PicturePromptWriter
from moderation.judge.prompt import POLICY_TEXT, describe
from moderation.judge.score_head import SCORE_CUE, digit_scores, digit_token_ids
from moderation.judge.vision_language import VisionLanguageJudge
from moderation.judge.vision_model import GumbelNoise, VisionModel, load_vision_model
from moderation.types import Mode

from .builders import digitless, write_backbone
from .vision_builders import FAMILIES, description, pictured, vision_judge, write_vision_judge

FAMILY = pytest.mark.parametrize("family", FAMILIES)
FILM = pictured(3, seed=4)


def saying(item: MediaFeatures, text: str) -> MediaFeatures:
    return replace(item, transcript=Transcript((TranscriptSegment(Span(0.0, 1.0), text),)))


@FAMILY
def test_the_fast_score_is_that_of_the_message_read_by_transformers_alone(family: str) -> None:
    model, processor = FAMILIES[family]()
    sequence = FILM.sequences[0]
    content: list[dict[str, str]] = []
    for time in ("0.0 s: ", "0.5 s: ", "1.0 s: "):
        content += [{"type": "text", "text": time}, {"type": "image"}]
    content.append({"type": "text", "text": "\n" + describe(FILM)})
    text = processor.apply_chat_template(
        [
            {"role": "system", "content": [{"type": "text", "text": POLICY_TEXT}]},
            {"role": "user", "content": content},
        ],
        add_generation_prompt=True,
    )
    inputs = processor(
        text=[text + SCORE_CUE],
        images=[[Image.fromarray(p) for p in pictures(sequence)]],
        return_tensors="pt",
    )
    with torch.inference_mode():
        logits_NV = model(**inputs).logits[:, -1]
    ids_K = torch.tensor(digit_token_ids(processor.tokenizer))
    want = digit_scores(logits_NV, ids_K)
    got = vision_judge(family).judge([FILM], Mode.FAST)[0]
    assert got.expected_score == pytest.approx(want.expected_N.item(), abs=1e-4)
    assert got.digit_mass == pytest.approx(want.mass_N.item(), abs=1e-5)


@FAMILY
def test_the_score_depends_on_the_pictures_and_on_the_speech(family: str) -> None:
    judge = vision_judge(family)
    other = replace(FILM, sequences=pictured(3, seed=5).sequences)
    scores = [
        judge.judge([item], Mode.FAST)[0].expected_score
        for item in (FILM, other, saying(FILM, "and so on"))
    ]
    assert len({round(score, 4) for score in scores}) == 3


@FAMILY
def test_text_of_the_file_brings_no_token_of_the_model_s_own(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, processor = FAMILIES[family]()
    writer = PicturePromptWriter(processor, policy_text=POLICY_TEXT)
    tokenizer = processor.tokenizer
    special = set(tokenizer.added_tokens_decoder)
    hostile = " ".join(tokenizer.convert_ids_to_tokens(sorted(special)))
    # What the sanitiser takes away already would prove nothing of the tokens.
    monkeypatch.setattr("moderation.judge.prompt.sanitise", lambda text: text)
    plain, told = (writer.write([i], writer.score_cue) for i in (FILM, saying(FILM, hostile)))
    counts = [sum(token in special for token in rows.ids[0]) for rows in (plain, told)]
    assert counts[0] == counts[1] > 9
    assert len(told.ids[0]) > len(plain.ids[0])


@FAMILY
def test_a_greedy_rationale_is_what_generate_writes_before_the_stop(family: str) -> None:
    model, processor = FAMILIES[family]()
    writer = PicturePromptWriter(processor, policy_text=POLICY_TEXT)
    rows = writer.write([FILM], writer.rationale_cue)
    ((tokens, is_complete),) = VisionModel(model, processor.tokenizer).write(rows, tokens_max=9)
    given = rows.inputs(pad_id=0, on_left=True, device=torch.device("cpu"))
    with torch.inference_mode():
        for token in tokens:
            assert int(model(**given).logits[0, -1].argmax()) == token
            given["input_ids"] = torch.cat([given["input_ids"], torch.tensor([[token]])], 1)
            for name in ("attention_mask", "mm_token_type_ids"):
                if name in given:
                    more = torch.full((1, 1), int(name == "attention_mask"))
                    given[name] = torch.cat([given[name], more], 1)
    assert len(tokens) == 9 or is_complete


def test_gumbel_noise_samples_the_softmax() -> None:
    logits_V = torch.tensor([0.3, 1.7, -0.5, 0.9])
    generators = [torch.Generator().manual_seed(seed) for seed in range(4000)]
    noisy_BV = GumbelNoise(generators)(torch.empty(0), logits_V.expand(len(generators), -1))
    share_V = torch.bincount(noisy_BV.argmax(1), minlength=4) / len(generators)
    # Four standard errors of a share.
    torch.testing.assert_close(share_V, logits_V.softmax(0), atol=4 * 0.5 / 4000**0.5, rtol=0)


def test_a_processor_without_a_chat_template_is_refused() -> None:
    _, processor = FAMILIES["smolvlm"]()
    processor.chat_template = None
    with pytest.raises(ConfigurationError, match="no chat template"):
        PicturePromptWriter(processor, policy_text=POLICY_TEXT)


def test_a_template_that_drops_the_policy_is_refused() -> None:
    _, processor = FAMILIES["qwen2.5-vl"]()
    processor.chat_template = "{% for m in messages[1:] %}{% for p in m['content'] %}{{ p['text'] if p['type'] == 'text' else '<|image_pad|>' }}{% endfor %}{% endfor %}"  # noqa: E501
    writer = PicturePromptWriter(processor, policy_text=POLICY_TEXT)
    with pytest.raises(ConfigurationError, match="drops the policy"):
        writer.write([FILM], writer.score_cue)


def test_a_tokenizer_without_digits_is_refused() -> None:
    model, processor = FAMILIES["smolvlm"]()
    processor.tokenizer = digitless()
    with pytest.raises(TokenizerError):
        VisionLanguageJudge(description(), model=model, processor=processor)


def test_a_language_model_without_eyes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no vision-language model"):
        load_vision_model(write_backbone(tmp_path), dtype=torch.float32)


def test_another_model_than_the_judge_names_is_refused(tmp_path: Path) -> None:
    folder = write_vision_judge(tmp_path, "smolvlm", FramesEncoder())
    VisionLanguageJudge.from_folder(folder, backbone=folder / "model")
    (folder / "model" / "config.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"config\.json of the backbone"):
        VisionLanguageJudge.from_folder(folder, backbone=folder / "model")


def test_the_documented_judge_reads_what_the_frames_encoder_gives(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "judges.md").read_text()
    (tmp_path / "judge.json").write_text(text.split("```json\n")[1].split("\n```")[0])
    encoder = FramesEncoder()
    read_description(tmp_path).require_encoders({encoder.name: encoder.version})
