"""What training ships and serving loads: projectors, a LoRA adapter, and how they fit together.

A folder with `judge.json`, `projectors.safetensors` and `adapter/` (PEFT's own format), bound to
one backbone and to its own bytes by SHA-256. Where the backbone was cut short and taught again,
`layers.safetensors` has the layers that are left.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from moderation.errors import ConfigurationError
from moderation.judge.sequence_spec import SequenceSpec

FORMAT_VERSION = 1
DESCRIPTION_FILE = "judge.json"
PROJECTORS_FILE = "projectors.safetensors"
LAYERS_FILE = "layers.safetensors"
ADAPTER_FOLDER = "adapter"


@dataclass(frozen=True, slots=True)
class JudgeDescription:
    """The contents of `judge.json`.

    backbone: name in the weights manifest, or a path or hub id. backbone_layers: None for all.
    width, specs: of the projectors; 0 and empty for a judge that has none.
    backbone_files: name -> SHA-256 of its files, without which no judge is loaded.
    encoders: name -> version that the features were made with. files: name -> SHA-256.
    encoder_options: plugin -> keyword -> value, where an encoder is not to be as it comes.
    provenance: data hash, recipe, date and metrics of the training run.
    """

    name: str
    backbone: str
    backbone_layers: int | None
    width: int
    specs: tuple[SequenceSpec, ...]
    encoders: Mapping[str, str]
    policy_text: str
    rationale_tokens_max: int
    provenance: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    backbone_files: Mapping[str, str] = field(default_factory=dict)
    encoder_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def judge_id(self) -> str:
        """Name and the first digits of the hash over what training made and was told.

        The backbone's own bytes are not in it, but are checked when the judge is loaded.
        """
        left_out = {"provenance", "backbone_files"}
        if not self.encoder_options:
            # So that judges keep the id that they had before there were any.
            left_out.add("encoder_options")
        decides = {k: v for k, v in asdict(self).items() if k not in left_out}
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{digest[:12]}"

    def require_encoders(self, versions: Mapping[str, str]) -> None:
        """Refuse features that this judge was not made for; versions: encoder name -> version.

        Raises:
            ConfigurationError: an encoder is missing, or gives other features than in training.
        """
        for name, trained in self.encoders.items():
            if name not in versions:
                raise ConfigurationError(
                    f"encoder {name!r} is not among {', '.join(versions) or 'none'}",
                    expected=f"the encoders that judge {self.judge_id} was trained on",
                    remedy="Add it to MODERATION_ENCODERS.",
                )
            if versions[name] != trained:
                raise ConfigurationError(
                    f"encoder {name!r} has version {versions[name]!r}",
                    expected=f"{trained!r}, which judge {self.judge_id} was trained on",
                    remedy="Use the weights and the release that the judge was made with.",
                )


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_description(folder: Path, description: JudgeDescription) -> JudgeDescription:
    """Write `judge.json` beside the weights in `folder`, with their hashes."""
    weights = [
        folder / PROJECTORS_FILE,
        folder / LAYERS_FILE,
        *sorted((folder / ADAPTER_FOLDER).glob("*")),
    ]
    files = {p.relative_to(folder).as_posix(): file_sha256(p) for p in weights if p.is_file()}
    complete = JudgeDescription(**{**_fields(description), "files": files})
    text = json.dumps(asdict(complete), indent=1, sort_keys=True, ensure_ascii=False)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")
    return complete


def read_description(folder: Path) -> JudgeDescription:
    """Read and verify a judge folder.

    Raises:
        ConfigurationError: no judge there, another format version, or altered files.
    """
    try:
        data = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        data["specs"] = tuple(SequenceSpec(**spec) for spec in data["specs"])
        description = JudgeDescription(**data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{folder} holds no readable judge ({type(error).__name__}: {error})",
            expected=f"a folder with {DESCRIPTION_FILE} as `moderation train` writes it",
            remedy="Set MODERATION_JUDGE to `starter` or to such a folder.",
        ) from error
    if description.format_version != FORMAT_VERSION:
        raise ConfigurationError(
            f"{folder} has judge format {description.format_version}",
            expected=f"format {FORMAT_VERSION}",
            remedy="Train or export the judge again with this version of the program.",
        )
    for name, pinned in description.files.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != pinned:
            raise ConfigurationError(
                f"{path} is missing or differs from the hash in {DESCRIPTION_FILE}",
                expected=f"SHA-256 {pinned}",
                remedy="Restore the folder from its source; do not edit judge files by hand.",
            )
    return description


def _fields(description: JudgeDescription) -> dict[str, Any]:
    return {name: getattr(description, name) for name in JudgeDescription.__dataclass_fields__}
