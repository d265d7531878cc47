"""A wrong recipe or corpus stops before training, and says which key or row and what to do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoders.errors import MediaError
from moderation.errors import ConfigurationError, TokenizerError, TypedError
from rl.judge_model import sequence_specs
from rl.preflight import needed_splits, require_readable, require_rows, require_tokenizer
from rl.recipe import SequenceRecipe
from tests.unit.judge.builders import digitless, write_backbone
from tests.unit.rl import media_judge as tiny
from tests.unit.rl.stages.stage_runs import REGRESSION, ROLLOUTS, recipe

PLAN = recipe(REGRESSION, ROLLOUTS | {"validate_steps": 2})


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    made = []
    for k, split in enumerate(("train", "train", "validation", "test")):
        (tmp_path / f"{k}.wav").write_bytes(b"sound")
        made.append({"path": f"{k}.wav", "split": split, "y": 3.0 * k})
    return made


def refuse(rows: list[dict[str, Any]], corpus: Path, *, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match) as error:
        require_rows(rows, corpus, needed_splits(PLAN))
    assert error.value.remedy


def test_a_sound_corpus_passes(rows, tmp_path) -> None:
    require_rows(rows, tmp_path, needed_splits(PLAN))


def test_validation_is_needed_only_by_stages_that_validate(rows, tmp_path) -> None:
    kept = [row for row in rows if row["split"] != "validation"]
    require_rows(kept, tmp_path, needed_splits(recipe(REGRESSION)))
    refuse(kept, tmp_path, match=r"'stages\.1\.validate_steps': no row of split 'validation'")


def test_an_empty_training_split_is_refused(rows, tmp_path) -> None:
    kept = [row for row in rows if row["split"] != "train"]
    refuse(kept, tmp_path, match="no row of split 'train'.*splits are test, validation")


@pytest.mark.parametrize("y", [-0.1, 9.5, float("nan"), None])
def test_a_label_off_the_scale_is_refused_with_its_row(rows, tmp_path, y) -> None:
    rows[3]["y"] = y
    require_rows(rows, tmp_path, needed_splits(PLAN))
    rows[1]["y"] = y
    refuse(rows, tmp_path, match=rf"row 1 \(1\.wav\).*y = {y}.*from 0")


def test_a_missing_file_is_refused_with_its_row(rows, tmp_path) -> None:
    (tmp_path / "2.wav").unlink()
    refuse(rows, tmp_path, match=r"row 2 \(2\.wav\).*no such file")


def test_a_file_that_cannot_be_read_is_refused_with_its_row() -> None:
    broken = MediaError("a torn header", expected="a whole file", remedy="Send it again.")
    with pytest.raises(ConfigurationError, match=r"row 2\.wav: a torn header") as error:
        require_readable("2.wav", broken)
    assert "take its row out" in error.value.remedy


def test_features_that_are_no_numbers_are_refused_with_their_row() -> None:
    example = tiny.examples(1)[0]
    assert require_readable(example.path, example) is example
    example.features.sequences[1].layers["block"][3, 0] = np.nan
    with pytest.raises(ConfigurationError, match=r"row 0\.mp4: whisper layer block holds NaN"):
        require_readable(example.path, example)


def test_an_item_without_features_is_refused_with_its_row() -> None:
    example = tiny.examples(1)[0]
    bare = replace(example, features=replace(example.features, sequences=()))
    with pytest.raises(ConfigurationError, match=r"row 0\.mp4 has no features"):
        require_readable(example.path, bare)


def test_a_sequence_that_no_item_has_is_refused_with_its_key() -> None:
    sequences = tiny.JUDGE.sequences | {"sonar": SequenceRecipe()}
    judge = tiny.JUDGE.model_copy(update={"sequences": sequences})
    with pytest.raises(ConfigurationError, match=r"'judge\.sequences\.sonar'.*clip, whisper"):
        sequence_specs(judge, tiny.examples(2))


def test_a_tokenizer_without_single_digits_is_refused_with_its_key(tmp_path) -> None:
    digitless().save_pretrained(tmp_path / "digitless")
    with pytest.raises(TokenizerError, match=r"key 'judge\.backbone' = 'tiny'") as error:
        require_tokenizer(PLAN, tmp_path / "digitless")
    assert isinstance(error.value, TypedError)
    assert "Choose a backbone" in error.value.remedy
    require_tokenizer(PLAN, write_backbone(tmp_path))
