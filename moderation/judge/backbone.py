"""The language model that a judge was trained around: where it lies, and whether it is that one."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from encoders.weights import WeightStore
from moderation.errors import ConfigurationError

# What transformers reads of a model's folder: weights, configuration, tokenizer, chat template.
_SUFFIXES = frozenset({".bin", ".jinja", ".json", ".model", ".safetensors", ".txt"})


def locate(name: str, weights: WeightStore, *, offline: bool = False) -> Path:
    """The folder of a backbone; name: an artefact of `weights`, a folder, or a hub id.

    Raises:
        WeightsMissing: an artefact that is not in the cache.
        ConfigurationError: neither a folder, nor a model that the hub (or its cache) has.
    """
    if name in weights.names:
        return weights.path(name)
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        patterns = [f"*{suffix}" for suffix in sorted(_SUFFIXES)]
        return Path(snapshot_download(name, allow_patterns=patterns, local_files_only=offline))
    except Exception as error:
        # The hub's client raises its own errors, those of two HTTP libraries, and OSError.
        raise ConfigurationError(
            f"no language model {name!r} ({type(error).__name__}: {str(error)[:200]})",
            expected=f"a folder, a hub id, or one of {', '.join(weights.names)}",
            remedy="Check the name, or run `moderation models pull`.",
        ) from error


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a model's folder, by name; reads all of them."""
    return {
        path.name: _sha256(path)
        for path in sorted(folder.iterdir())
        if path.suffix in _SUFFIXES and path.is_file()
    }


def require_files(
    pinned: Mapping[str, str], folder: Path, *, known: Mapping[str, str] | None = None
) -> None:
    """Refuse a backbone other than the one that a judge was trained around.

    pinned: file name -> SHA-256; empty for a judge that says none. known: hashes of the folder's
    files that were checked before (the weight store does), so that they need not be read again.

    Raises:
        ConfigurationError: a file is missing or is another.
    """
    for name, sha256 in pinned.items():
        if known is not None:
            found = known.get(name)
        else:
            path = folder / name
            found = _sha256(path) if path.is_file() else None
        if found != sha256:
            told = "is missing" if found is None else f"has SHA-256 {found}"
            raise ConfigurationError(
                f"{name} of the backbone in {folder} {told}",
                expected=f"SHA-256 {sha256}, which the judge was trained around",
                remedy="Use the weights and the release that the judge was made with.",
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
