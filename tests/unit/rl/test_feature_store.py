"""Features kept beside a corpus: the second load decodes nothing and gives the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from encoders.errors import UnreadableFile
from encoders.types import Direction, MediaFeatures, Modality, Signal, Span
from moderation.errors import TypedError
from rl.corpus.manifest import write_manifest
from rl.data import Example, load_examples
from rl.feature_store import FOLDER, FeatureStore
from tests.unit.rl import media_judge as tiny


@dataclass
class CountingExtractor:
    """Gives features that were made before, by the name of the file."""

    features: dict[str, MediaFeatures]
    version: str = "1"
    plan_id: str = "plan"
    decoded: int = 0

    @property
    def encoders(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="tiny", version=self.version)]

    def decode(self, path: Path) -> str:
        self.decoded += 1
        if path.name not in self.features:
            raise UnreadableFile("nothing", expected="a file", remedy="Bring one.")
        return path.name

    def encode(self, names: Sequence[str]) -> list[MediaFeatures]:
        return [self.features[name] for name in names]


@pytest.fixture
def made() -> dict[str, MediaFeatures]:
    heat = np.ones((2, 2), np.float32)
    signal = Signal(
        "image.a", Modality.IMAGE, 1.0, "dB", Span(0, 1), Direction.HIGH, 0.0, 2.0, "text", heat
    )
    found = {}
    for k, example in enumerate(tiny.examples()[:3]):
        metadata = replace(example.features.metadata, sha256=f"{k:064x}", notes=("a note",))
        found[f"{k}.png"] = replace(example.features, metadata=metadata, signals=(signal,))
    return found


@pytest.fixture
def corpus(tmp_path: Path, made: dict[str, MediaFeatures]) -> Path:
    rows = [
        {
            "path": name,
            "sha256": features.metadata.sha256,
            "modality": features.modality.value,
            "duration_seconds": features.duration_seconds,
            "y": 4.0,
            "m": 0.1,
            "is_manipulated": True,
            "recipe": "r",
            "generator": "g",
            "source": name,
            "split": "train",
            "pair_id": name,
            "claims": [],
        }
        for name, features in made.items()
    ]
    write_manifest([*rows, {**rows[0], "path": "lost.png", "sha256": "f" * 64}], tmp_path)
    return tmp_path


def load(corpus: Path, extractor: CountingExtractor) -> list[Example | TypedError]:
    return list(load_examples(corpus, extractor, splits=("train",)))  # type: ignore[arg-type]


def test_the_second_load_decodes_nothing_and_gives_the_same(
    corpus: Path, made: dict[str, MediaFeatures]
) -> None:
    extractor = CountingExtractor(made)
    first = load(corpus, extractor)
    assert extractor.decoded == 4
    again = load(corpus, extractor)
    assert extractor.decoded == 5  # the file that is lost is looked for each time
    for one, other in zip(first, again, strict=True):
        if isinstance(one, TypedError):
            assert isinstance(other, TypedError)
            continue
        assert isinstance(other, Example)
        assert one.features.metadata == other.features.metadata
        assert one.features.transcript == other.features.transcript
        assert other.features.signals == tuple(
            replace(signal, heat_map_HW=None) for signal in one.features.signals
        )
        for mine, theirs in zip(one.features.sequences, other.features.sequences, strict=True):
            assert mine.encoder == theirs.encoder
            for name, values in mine.layers.items():
                np.testing.assert_array_equal(values, theirs.layers[name])


def test_another_version_or_damaged_features_are_computed_anew(
    corpus: Path, made: dict[str, MediaFeatures]
) -> None:
    load(corpus, CountingExtractor(made))
    newer = CountingExtractor(made, version="2")
    load(corpus, newer)
    assert newer.decoded == 4
    for path in (corpus / FOLDER).rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    again = CountingExtractor(made)
    load(corpus, again)
    assert again.decoded == 4
    assert FeatureStore(corpus, again).get(None) is None  # type: ignore[arg-type]
