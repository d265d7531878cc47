"""A fitted detector on disk: `detector.json` and `detector.safetensors`, bound by a hash.

Both are data, never code: the boosted model's trees are stored as arrays (`rl.detectors.trees`),
so an artefact from a stranger can be wrong but cannot run anything.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from moderation.atomic import write_bytes
from moderation.errors import ConfigurationError
from rl.detectors.pooled_detector import FAMILIES, PooledDetector
from rl.detectors.signals import SignalDetector
from rl.detectors.types import Detector, Provenance, Tensors

FORMAT_VERSION = 1
DESCRIPTION_FILE = "detector.json"
TENSORS_FILE = "detector.safetensors"
# What the identity is made of: all that decides a score.
DECIDES = ("data", "encoders", "format_version", "kind", "tensors_sha256")


@dataclass(frozen=True, slots=True)
class DetectorArtefact:
    """A detector with where it comes from. detector_id: name and hash of all that decides."""

    detector: Detector
    provenance: Provenance
    detector_id: str


def write_artefact(folder: Path, detector: Detector, provenance: Provenance) -> DetectorArtefact:
    """Write `detector` into `folder`, whole or not at all."""
    data, tensors = detector.to_parts()
    arrays = {name: np.ascontiguousarray(array) for name, array in sorted(tensors.items())}
    content = safetensors.numpy.save(arrays)
    decides = {
        "format_version": FORMAT_VERSION,
        "kind": detector.kind,
        "data": data,
        "tensors_sha256": hashlib.sha256(content).hexdigest(),
        "encoders": dict(provenance.encoders),
    }
    described = {**decides, "name": detector.name, "provenance": asdict(provenance)}
    write_bytes(folder / TENSORS_FILE, content)
    text = json.dumps(described, indent=1, sort_keys=True) + "\n"
    write_bytes(folder / DESCRIPTION_FILE, text.encode("utf-8"))
    return DetectorArtefact(detector, provenance, _identity(detector.name, decides))


def _identity(name: str, decides: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return f"{name}-{digest[:12]}"


def read_artefact(folder: Path) -> DetectorArtefact:
    """Read and verify what `write_artefact` wrote.

    Raises:
        ConfigurationError: no detector there, another format version, or altered files.
    """
    try:
        described = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        content = (folder / TENSORS_FILE).read_bytes()
        if described["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format {described['format_version']}, not {FORMAT_VERSION}")
        if hashlib.sha256(content).hexdigest() != described["tensors_sha256"]:
            raise ValueError(f"{TENSORS_FILE} differs from its hash in {DESCRIPTION_FILE}")
        tensors = safetensors.numpy.load(content)
        detector = _restore(described["kind"], described["data"], tensors)
        provenance = Provenance(**described["provenance"])
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise ConfigurationError(
            f"{folder} holds no readable detector ({type(error).__name__}: {error})",
            expected=f"a folder with {DESCRIPTION_FILE}, from `moderation detectors fit`",
            remedy="Restore it from its source, or fit again.",
        ) from error
    decides = {key: described[key] for key in DECIDES}
    return DetectorArtefact(detector, provenance, _identity(described["name"], decides))


def _restore(kind: str, data: dict[str, Any], tensors: Tensors) -> Detector:
    if kind in FAMILIES:
        return PooledDetector.restore(kind, data, tensors)
    if kind == SignalDetector.kind:
        return SignalDetector.from_parts(data, tensors)
    raise ValueError(f"unknown kind {kind!r}")
