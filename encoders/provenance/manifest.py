"""C2PA manifests, read and verified without a network. Runs inside the sandbox child only.

Source: C2PA technical specification 2.x; c2pa-python over the c2pa-rs library. Settings keep the
library from fetching manifests, revocation lists and time stamps; the sandbox has no network
either way.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO

from encoders.provenance.types import (
    LIST_MAX,
    TEXT_MAX,
    ManifestAction,
    ManifestState,
    Provenance,
    source_type_term,
)

_STATES = {
    "Trusted": ManifestState.TRUSTED,
    "Valid": ManifestState.VALID,
    "Invalid": ManifestState.INVALID,
}


def offline_settings(trust_anchors: str = "") -> dict[str, Any]:
    """Settings of c2pa-rs. trust_anchors: certificates of trusted signers, as PEM."""
    settings: dict[str, Any] = {
        "verify": {
            "verify_after_reading": True,
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
        "core": {"allowed_network_hosts": []},
    }
    if trust_anchors:
        settings["trust"] = {"trust_anchors": trust_anchors}
    return settings


def read_manifest(file: BinaryIO, trust_anchors: str = "") -> Provenance:
    """What the manifest embedded in `file` says, and whether it holds.

    Every failure is a state of the answer: a broken mark says nothing of the picture.
    """
    try:
        import c2pa
    except (ImportError, OSError):
        note = "C2PA was not looked for: the package c2pa-python is not installed"
        return Provenance(ManifestState.UNCHECKED, notes=(note,))
    try:
        context = c2pa.Context.from_dict(offline_settings(trust_anchors))
        with context, c2pa.Reader(None, file, None, context) as reader:
            state = _STATES.get(str(reader.get_validation_state()), ManifestState.UNREADABLE)
            store = json.loads(reader.json())
    except c2pa.C2paError as error:
        return _refused(str(error))
    except (ValueError, RecursionError) as error:
        return Provenance(ManifestState.UNREADABLE, reasons=(type(error).__name__,))
    return _told(state, store)


def _refused(message: str) -> Provenance:
    """What an error of the library means; its first word is the kind."""
    kind, _, detail = message.partition(":")
    if kind == "ManifestNotFound":
        return Provenance(ManifestState.ABSENT)
    if kind == "NotSupported":
        return Provenance(ManifestState.ABSENT, notes=("C2PA has no manifests in this format",))
    if kind == "Remote":
        # The address is a stranger's, and nobody is to follow it unawares.
        return Provenance(ManifestState.REMOTE, notes=("its manifest lies elsewhere: not fetched",))
    return Provenance(ManifestState.UNREADABLE, reasons=(f"{kind}:{detail}"[:TEXT_MAX],))


def _told(state: ManifestState, store: Mapping[str, Any]) -> Provenance:
    told = Provenance(state, reasons=_failures(store.get("validation_results")))
    manifests, label = _mapping(store.get("manifests")), store.get("active_manifest")
    active = _mapping(manifests.get(label)) if isinstance(label, str) else {}
    signature = _mapping(active.get("signature_info"))
    return replace(
        told,
        claim_generator=_generator(active),
        signer=_text(signature.get("issuer")),
        signed_at=_text(signature.get("time")),
        actions=_actions(active.get("assertions")),
        notes=("the file names a manifest within another file",) if len(manifests) > 1 else (),
    )


def _failures(results: object) -> tuple[str, ...]:
    """Codes that failed, of the active manifest and of what it was made from, each once."""
    codes: dict[str, None] = {}
    parts = [_mapping(results).get("activeManifest")]
    for delta in _list(_mapping(results).get("ingredientDeltas")):
        parts.append(_mapping(delta).get("validationDeltas"))
    for part in parts:
        for failure in _list(_mapping(part).get("failure")):
            codes[_text(_mapping(failure).get("code"))] = None
    return tuple(code for code in codes if code)[:LIST_MAX]


def _generator(active: Mapping[str, Any]) -> str:
    for info in _list(active.get("claim_generator_info")):
        name, version = (_text(_mapping(info).get(key)) for key in ("name", "version"))
        if name:
            return f"{name} {version}".strip()
    return _text(active.get("claim_generator"))


def _actions(assertions: object) -> tuple[ManifestAction, ...]:
    actions: list[ManifestAction] = []
    for assertion in _list(assertions):
        if not _text(_mapping(assertion).get("label")).startswith("c2pa.actions"):
            continue
        for action in _list(_mapping(_mapping(assertion).get("data")).get("actions")):
            step = _mapping(action)
            source_type = source_type_term(_text(step.get("digitalSourceType")))
            actions.append(ManifestAction(_text(step.get("action")), source_type))
    return tuple(actions[:LIST_MAX])


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:TEXT_MAX] if isinstance(value, str) else ""
