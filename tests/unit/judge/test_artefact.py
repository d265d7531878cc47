"""A judge is bound to its own bytes and to those of its backbone."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from encoders.weights import WeightStore
from moderation.app import STARTER_JUDGE
from moderation.errors import ConfigurationError
from moderation.judge.artefact import read_description
from moderation.judge.backbone import file_hashes, locate
from moderation.judge.soft_token import SoftTokenJudge
from moderation.types import Mode
from tests.unit.judge.builders import (
    byte_level_bpe,
    features,
    language_model,
    write_backbone,
    write_judge,
)


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    return write_backbone(tmp_path / "backbone")


@pytest.fixture
def judge(tmp_path: Path, backbone: Path) -> Path:
    return write_judge(tmp_path / "judge", backbone)


def test_a_judge_loads_around_its_own_backbone(judge: Path, backbone: Path) -> None:
    loaded = SoftTokenJudge.from_folder(judge, backbone=backbone)
    assert len(loaded.judge([features(1.0, seed=0)], Mode.FAST)) == 1
    assert set(file_hashes(backbone)) >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert "README.md" not in file_hashes(backbone)


def test_another_backbone_of_the_same_name_is_refused(judge: Path, backbone: Path) -> None:
    language_model(len(byte_level_bpe()), seed=99).save_pretrained(backbone)
    with pytest.raises(ConfigurationError, match=r"model\.safetensors of the backbone .* has"):
        SoftTokenJudge.from_folder(judge, backbone=backbone)


def test_hashes_that_the_weight_store_knows_are_compared_too(judge: Path, backbone: Path) -> None:
    known = file_hashes(backbone) | {"tokenizer.json": "0" * 64}
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json"):
        SoftTokenJudge.from_folder(judge, backbone=backbone, backbone_files=known)
    del known["tokenizer.json"]
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json .* is missing"):
        SoftTokenJudge.from_folder(judge, backbone=backbone, backbone_files=known)


def test_the_starter_names_the_bytes_of_its_backbone_and_keeps_its_id() -> None:
    description = read_description(STARTER_JUDGE)
    outputs = WeightStore().artefact(description.backbone).outputs
    assert description.backbone_files == {output.name: output.sha256 for output in outputs}
    measured = json.loads(Path("docs/starter-test.json").read_text())
    for mode in Mode:
        assert description.judge_id in measured[mode]["summary"]


def test_the_starters_card_and_recipe_are_those_of_the_judge() -> None:
    description = read_description(STARTER_JUDGE)
    assert description.judge_id in (STARTER_JUDGE / "README.md").read_text()
    recipe = hashlib.sha256(Path("rl/recipes/starter.toml").read_bytes()).hexdigest()
    assert description.provenance["recipe_sha256"] == recipe


def test_the_id_says_what_training_made_and_not_when() -> None:
    description = read_description(STARTER_JUDGE)
    assert replace(description, provenance={}).judge_id == description.judge_id
    assert replace(description, policy_text="Other.").judge_id != description.judge_id


def test_a_backbone_that_is_nowhere_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no language model 'nobody/nothing'"):
        locate("nobody/nothing", WeightStore(cache_dir=tmp_path), offline=True)


def test_features_of_other_encoders_are_refused(judge: Path) -> None:
    description = replace(read_description(judge), encoders={"clip": "7"})
    with pytest.raises(ConfigurationError, match="'clip' is not among none"):
        description.require_encoders({})
    with pytest.raises(ConfigurationError, match="has version '8'"):
        description.require_encoders({"clip": "8"})
    description.require_encoders({"clip": "7", "whisper": "1"})
