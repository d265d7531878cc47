"""What a file says of its origin, in words; every value is a stranger's."""

from encoders.provenance.types import ManifestState, Provenance

MANIFEST_WORDS = {
    ManifestState.ABSENT: "none",
    ManifestState.TRUSTED: "whole, and by a trusted signer",
    ManifestState.VALID: "whole, by a signer whom nobody vouches for",
    ManifestState.INVALID: "does not hold: changed after signing, or signed wrongly",
    ManifestState.REMOTE: "elsewhere, and not fetched",
    ManifestState.UNREADABLE: "cannot be read",
    ManifestState.UNCHECKED: "not looked for",
}


def provenance_rows(provenance: Provenance) -> list[tuple[str, str]]:
    """Name and value of everything that there is; values are untrusted text."""
    steps = [f"{one.action} {one.source_type}".strip() for one in provenance.actions]
    rows = {
        "C2PA manifest": MANIFEST_WORDS[provenance.manifest],
        "because of": ", ".join(provenance.reasons),
        "signed by": f"{provenance.signer} {provenance.signed_at}".strip(),
        "made with": provenance.claim_generator,
        "history": "; ".join(steps),
        "IPTC in XMP": ", ".join(provenance.xmp_source_types),
        "says of itself": "made by an algorithm, at least in part"
        if provenance.declares_synthetic
        else "",
        "not read": "; ".join(provenance.notes),
    }
    return [(name, value) for name, value in rows.items() if value]
