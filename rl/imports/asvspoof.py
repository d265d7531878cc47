"""ASVspoof 5 (arXiv:2408.08739) and the logical-access part of ASVspoof 2019 (arXiv:1911.01601).

Protocols are lines of fields between blanks, in the `.tsv` files of ASVspoof 5 too; see the
README that comes with each set (zenodo.org/records/14498691, doi:10.7488/ds/2555). The speaker of
a spoofed utterance is the one imitated. Speakers do not recur between the published splits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from encoders.types import Modality
from rl.imports.label_files import one_of, read_table, wrong
from rl.imports.names import LayoutName
from rl.imports.places import MediaRoot
from rl.imports.record import GENUINE, Forged, Layout, ReadOptions, Record

KEYS = {"bonafide": False, "spoof": True}
CUE = "synthetic voice"
ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Edition:
    """Where one edition keeps things.

    columns: of a protocol's lines. protocols: file name -> (our split, folders of the sound; the
    first that exists holds it). folders: where protocols may lie -> where those folders are.
    """

    name: LayoutName
    title: str
    columns: tuple[str, ...]
    protocols: Mapping[str, tuple[str, tuple[str, ...]]]
    folders: Mapping[str, str]
    licence: str


ASVSPOOF5 = Edition(
    LayoutName.ASVSPOOF5,
    "ASVspoof5",
    (
        *("speaker", "file", "gender", "codec", "codec_q", "codec_seed"),
        *("attack_tag", "attack", "key", "tmp"),
    ),
    {
        "ASVspoof5.train.tsv": ("train", ("flac_T",)),
        "ASVspoof5.dev.track_1.tsv": ("validation", ("flac_D",)),
        "ASVspoof5.eval.track_1.tsv": ("test", ("flac_E_eval", "flac_E")),
    },
    {".": ".", "ASVspoof5_protocols": ".", "protocols": "."},
    "ASVspoof 5: see the set's LICENSE.txt",
)
ASVSPOOF2019 = Edition(
    LayoutName.ASVSPOOF2019,
    "ASVspoof2019",
    ("speaker", "file", "environment", "attack", "key"),
    {
        "ASVspoof2019.LA.cm.train.trn.txt": ("train", ("ASVspoof2019_LA_train/flac",)),
        "ASVspoof2019.LA.cm.dev.trl.txt": ("validation", ("ASVspoof2019_LA_dev/flac",)),
        "ASVspoof2019.LA.cm.eval.trl.txt": ("test", ("ASVspoof2019_LA_eval/flac",)),
    },
    {"ASVspoof2019_LA_cm_protocols": ".", "LA/ASVspoof2019_LA_cm_protocols": "LA"},
    "ASVspoof 2019: see the set's LICENSE_text.txt",
)


def _protocols(edition: Edition, root: Path) -> list[tuple[Path, Path]]:
    """The protocols that are there, each with the folder that the sound's folders are in."""
    return [
        (path, root / base)
        for folder, base in edition.folders.items()
        for name in edition.protocols
        if (path := root / folder / name).is_file()
    ]


def _recognises(edition: Edition, root: Path) -> bool:
    return bool(_protocols(edition, root))


def _read(edition: Edition, root: Path, options: ReadOptions) -> Iterator[Record]:
    found = _protocols(edition, root)
    if not found:
        raise wrong(
            str(root),
            f"no protocol of {edition.title}",
            f"one of {', '.join(edition.protocols)} in {', '.join(edition.folders)}",
            "Unpack the set's protocols there.",
        )
    for protocol, inner in found:
        split, folders = edition.protocols[protocol.name]
        folder = next((f for f in folders if (inner / f).is_dir()), folders[0])
        places = MediaRoot(inner, options.may_leave_root)
        for where, row in read_table(protocol, edition.columns):
            yield _record(edition, row, where, split, places.locate(_file(row, folder), where))


def _file(row: Mapping[str, str], folder: str) -> str:
    return f"{folder}/{row['file']}.flac"


def _record(edition: Edition, row: Mapping[str, str], where: str, split: str, path: Path) -> Record:
    is_spoof = KEYS[one_of(row["key"], KEYS, "key", where)]
    # A copy that went through a codec names the utterance that it was made from.
    seed = row.get("codec_seed", ABSENT)
    utterance = row["file"] if seed == ABSENT else seed
    return Record(
        path=path,
        where=where,
        modality=Modality.AUDIO,
        source=f"{edition.title}/{row['speaker']}",
        pair=f"{edition.title}/{utterance}",
        recipe="spoof" if is_spoof else GENUINE,
        generator=f"{edition.title}-{row['attack']}" if is_spoof else "",
        forged=(Forged(CUE),) if is_spoof else (),
        split=split,
        language="en",
        licence=edition.licence,
    )


def _layout(edition: Edition) -> Layout:
    return Layout(
        edition.name,
        partial(_recognises, edition),
        partial(_read, edition),
        frozenset({"may_leave_root"}),
    )


LAYOUTS = (_layout(ASVSPOOF5), _layout(ASVSPOOF2019))
