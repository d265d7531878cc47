"""Features of a corpus, kept beside it: every run on it starts from them, and decodes nothing.

    CORPUS/features/<setup>/<2 hex>/<62 hex>.safetensors    features, by the bytes of the file
    CORPUS/features/<setup>/<2 hex>/<62 hex>.json           what is known of the file, written last

The cache that scoring uses is bounded, and a corpus larger than the bound would push itself out of
it. Setups differ in the encoders, their versions, or what they look at.
"""

import hashlib
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from encoders.encoding_format import DamagedEncoding, from_bytes, to_bytes
from encoders.types import Encoding, MediaFeatures, MediaMetadata, Modality, StreamInfo
from moderation.atomic import write_checked_bytes
from moderation.extraction import Extractor

FOLDER = "features"

_LOG = logging.getLogger(__name__)


class FeatureStore:
    """The features of a corpus's files, by the SHA-256 that its manifest names."""

    def __init__(self, corpus: Path, extractor: Extractor) -> None:
        encoders = sorted((encoder.name, encoder.version) for encoder in extractor.encoders)
        setup = hashlib.sha256(json.dumps([encoders, extractor.plan_id]).encode()).hexdigest()
        self._directory = corpus / FOLDER / setup[:16]

    def get(self, sha256: str | None) -> MediaFeatures | None:
        """Features of these bytes; None where there are none, or damaged ones.

        sha256: None where the manifest does not name the bytes.
        """
        if sha256 is None:
            return None
        path = self._path(sha256)
        try:
            known = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            encoding = from_bytes(path.read_bytes())
            return MediaFeatures(
                _metadata(known["metadata"]),
                Modality(known["modality"]),
                known["duration_seconds"],
                encoding.sequences,
                encoding.signals,
                encoding.transcript,
            )
        except (OSError, ValueError, KeyError, TypeError, DamagedEncoding):
            return None

    def put(self, features: MediaFeatures) -> None:
        """Keep features, without the heat maps of their signals, which nobody learns from.

        A full or read-only disk is logged: the run goes on, the next one computes them anew.
        """
        path = self._path(features.metadata.sha256)
        signals = tuple(replace(signal, heat_map_HW=None) for signal in features.signals)
        encoding = Encoding(features.sequences, signals, features.transcript)
        known = {
            "metadata": {**asdict(features.metadata), "tags": dict(features.metadata.tags)},
            "modality": features.modality.value,
            "duration_seconds": features.duration_seconds,
        }
        try:
            write_checked_bytes(path, to_bytes(encoding))
            write_checked_bytes(path.with_suffix(".json"), json.dumps(known).encode())
        except OSError as error:
            _LOG.warning("could not keep features in %s: %s", self._directory, error)

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / f"{sha256[2:]}.safetensors"


def _metadata(known: dict[str, Any]) -> MediaMetadata:
    streams = {
        side: tuple(StreamInfo(**stream) for stream in known[side])
        for side in ("claimed", "observed")
    }
    return MediaMetadata(**{**known, **streams, "notes": tuple(known["notes"])})
