"""Values of provenance, and how they travel out of the sandbox child."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from encoders.sandbox_wire import MalformedAnswer, printable

TEXT_MAX = 200
LIST_MAX = 64

SYNTHETIC_SOURCE_TYPES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "algorithmicMedia",
        "compositeSynthetic",
    }
)
"""Terms of IPTC's vocabulary that say: made by an algorithm, in whole or in part.

Source: IPTC NewsCodes, scheme digitalsourcetype (cv.iptc.org/newscodes/digitalsourcetype).
"""

_TERM = re.compile(
    r"(?:https?://(?:cv\.iptc\.org/newscodes|c2pa\.org)/digitalsourcetype/)?(\w{1,64})"
)


class ManifestState(StrEnum):
    """What became of the C2PA manifest.

    TRUSTED: whole, and signed by somebody on the list of trusted signers. VALID: whole, by a
    signer who is not on it. INVALID: the file or the manifest was changed after signing, or the
    signature does not hold. REMOTE: the file names a manifest elsewhere, which is not fetched.
    UNREADABLE: there is one that cannot be read. UNCHECKED: nobody looked.
    """

    ABSENT = "absent"
    TRUSTED = "trusted"
    VALID = "valid"
    INVALID = "invalid"
    REMOTE = "remote"
    UNREADABLE = "unreadable"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class ManifestAction:
    """One step of the file's history as its signer tells it; source_type: IPTC's term, or ""."""

    action: str
    source_type: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a file says of its origin. All texts are a stranger's words.

    reasons: codes of C2PA's validation that failed. claim_generator: the program that made the
    manifest. signer: the organisation of the certificate. signed_at: as the time stamp says,
    or "". actions: of the active manifest. xmp_source_types: IPTC's terms in the XMP packets,
    which nobody signs. notes: what was not read, and why.
    """

    manifest: ManifestState
    reasons: tuple[str, ...] = ()
    claim_generator: str = ""
    signer: str = ""
    signed_at: str = ""
    actions: tuple[ManifestAction, ...] = ()
    xmp_source_types: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def source_types(self) -> tuple[str, ...]:
        """Every term that the manifest's actions or the XMP name, sorted."""
        named = {action.source_type for action in self.actions if action.source_type}
        return tuple(sorted(named | set(self.xmp_source_types)))

    @property
    def declares_synthetic(self) -> bool:
        """Whether the file itself says that an algorithm made it or a part of it."""
        return not SYNTHETIC_SOURCE_TYPES.isdisjoint(self.source_types)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        told = pack(self)
        told["source_types"] = list(self.source_types)
        told["declares_synthetic"] = self.declares_synthetic
        return told


def source_type_term(text: str) -> str:
    """IPTC's term in `text`, a term or its address; "" where there is none."""
    found = _TERM.fullmatch(text.strip())
    return found[1] if found else ""


def pack(provenance: Provenance) -> dict[str, Any]:
    """What a child sends: plain texts, lists and objects."""
    told = asdict(provenance)
    lists = {name: list(value) for name, value in told.items() if isinstance(value, tuple)}
    return told | lists | {"manifest": str(provenance.manifest)}


def unpack(report: Mapping[str, Any]) -> Provenance:
    """What a child sent, read as hostile.

    Raises:
        MalformedAnswer: it is not what `pack` makes.
    """
    try:
        return Provenance(
            manifest=ManifestState(report["manifest"]),
            reasons=_texts(report["reasons"]),
            claim_generator=_text(report["claim_generator"]),
            signer=_text(report["signer"]),
            signed_at=_text(report["signed_at"]),
            actions=tuple(
                ManifestAction(_text(one["action"]), source_type_term(_text(one["source_type"])))
                for one in _list(report["actions"])
            ),
            xmp_source_types=tuple(
                term
                for text in _texts(report["xmp_source_types"])
                if (term := source_type_term(text))
            ),
            notes=_texts(report["notes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedAnswer(f"a report with a wrong field ({error})") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return printable(value)[:TEXT_MAX]


def _list(value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value[:LIST_MAX]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(value))
