"""The real weights: those that are pinned, and of use."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from encoders.weights import Status, WeightStore

pytestmark = pytest.mark.weights

LANGUAGE_MODEL = "smollm2-135m-instruct"


@pytest.mark.parametrize("name", [LANGUAGE_MODEL, "whisper-tiny.en", "efficientnet-lite0"])
def test_every_file_is_the_pinned_one(name: str) -> None:
    assert WeightStore().verify(name) is Status.VERIFIED


def test_pulling_again_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    store = WeightStore(offline=True)
    assert store.pull("efficientnet-lite0") == store.path("efficientnet-lite0")


def test_tokenizer_reads_digits_one_by_one_and_spells_everything() -> None:
    tokenizer = AutoTokenizer.from_pretrained(WeightStore().path(LANGUAGE_MODEL))
    digits = [tokenizer.encode(str(digit)) for digit in range(10)]
    assert digits == [[token] for token in range(32, 42)]
    assert tokenizer.encode("20")[:2] == [34, 32]
    for text in ("Ünïcode, 漢字\n\n\t x = 3.14 😀", "<|im_start|>user\nhi<|im_end|>\n"):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode("<|im_end|>") == [tokenizer.eos_token_id]


def test_language_model_knows_the_capital_of_france() -> None:
    folder = WeightStore().path(LANGUAGE_MODEL)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype is torch.float32
    assert model.config.rope_parameters["rope_theta"] == 100_000
    question = [{"role": "user", "content": "What is the capital of France?"}]
    inputs = tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        output = model.generate(**inputs, max_new_tokens=12, do_sample=False)
    answer = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert answer == "The capital of France is Paris."
