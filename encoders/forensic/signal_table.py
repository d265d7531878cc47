"""`python -m encoders.forensic.signal_table` prints the table of docs/signals.md."""

from encoders.forensic.catalogue import KINDS
from encoders.forensic.norms import load_norms


def table() -> str:
    """The signals as a Markdown table with their typical ranges."""
    norms = load_norms()
    lines = [
        "| Signal | What it measures | Source | Unit | Tampering | Typical on genuine media |",
        "|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        ranges = "; ".join(
            f"{modality} {entry.low:.3g} to {entry.high:.3g} (n={entry.count})"
            for modality, entry in sorted(norms.ranges[kind.name].items())
        )
        lines.append(
            f"| `{kind.name}` | {kind.explanation} | {kind.source} | {kind.unit} "
            f"| {kind.direction.value} | {ranges} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
