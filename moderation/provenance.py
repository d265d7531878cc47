"""What files say of their own origin, beside every score: a signal of its own, never proof."""

from dataclasses import dataclass
from pathlib import Path

from encoders.provenance.reading import TRUST_ANCHORS_CHARACTERS_MAX, read_provenance
from encoders.provenance.types import ManifestState, Provenance
from encoders.sandbox import Sandbox
from moderation.errors import ConfigurationError, InternalError, TypedError


@dataclass(frozen=True, slots=True)
class ProvenanceReader:
    """Reads in children of `sandbox`. trust_anchors: PEM of signers that are trusted."""

    sandbox: Sandbox
    trust_anchors: str = ""

    def __call__(self, path: Path) -> Provenance:
        """What `path` says; never raises: a mark that cannot be read does not stop a score."""
        try:
            return read_provenance(self.sandbox, path, trust_anchors=self.trust_anchors)
        except TypedError as error:
            return Provenance(ManifestState.UNREADABLE, reasons=(error.code,))
        except Exception as error:
            told = InternalError.of(error)
            return Provenance(
                ManifestState.UNREADABLE, reasons=(told.code,), notes=(told.found[:200],)
            )


def read_trust_anchors(path: Path | None) -> str:
    """The certificates in the PEM file at `path`; none without one.

    Raises:
        ConfigurationError: it cannot be read, holds no certificate, or is too long.
    """
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise _unusable(path, "no certificate in it")
    if len(text) > TRUST_ANCHORS_CHARACTERS_MAX:
        raise _unusable(path, f"{len(text)} characters")
    return text


def _unusable(path: Path, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"the trust anchors {path}: {found}",
        expected=f"PEM certificates, up to {TRUST_ANCHORS_CHARACTERS_MAX} characters",
        remedy="Correct MODERATION_TRUST_ANCHORS, or unset it: then no signer is trusted.",
    )
