"""A picture of a corpus for a person: each forgery beside its genuine copy and the difference.

`python -m rl.corpus.contact_sheet DIR --out sheet.png [--pairs N] [--modality image]`.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import scipy.signal
from PIL import Image, ImageDraw

from encoders.types import ByteArray
from rl.corpus.atomic import write_bytes
from rl.corpus.codecs import read_picture, read_sound
from rl.corpus.manifest import read_manifest
from rl.corpus.seeds import unit_for

CELLS = {"image": (300, 220), "audio": (400, 110), "video": (600, 130)}
CAPTION_HEIGHT = 24
MIDDLE = (0.3, 0.5, 0.7)


def spectrogram(path: Path) -> ByteArray:
    """Log power from 0 to half the rate, low frequencies below; uint8 (H, W, 3)."""
    rate_hz = 8_000
    power = scipy.signal.spectrogram(read_sound(path, rate_hz), rate_hz, nperseg=256, noverlap=192)
    level = np.clip((10.0 * np.log10(power[2] + 1e-12) + 100.0) / 70.0, 0.0, 1.0)
    grey = (level[::-1] * 255).astype(np.uint8)
    coloured = cv2.applyColorMap(grey, cv2.COLORMAP_MAGMA)
    rgb: ByteArray = cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB)
    return rgb


def film_strip(path: Path) -> ByteArray:
    """Three frames side by side, at 30, 50 and 70 % of the film; uint8 (H, W, 3)."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.concatenate([frames[int(share * len(frames))] for share in MIDDLE], axis=1)


VIEWS = {"image": read_picture, "audio": spectrogram, "video": film_strip}


def _cell(picture_HWC: ByteArray, modality: str) -> Image.Image:
    width, height = CELLS[modality]
    cell = Image.fromarray(picture_HWC)
    if modality == "audio":
        return cell.resize((width, height))
    scale = min(width / cell.width, height / cell.height)
    fitted = cell.resize((round(cell.width * scale), round(cell.height * scale)))
    framed = Image.new("RGB", (width, height), "white")
    framed.paste(fitted)
    return framed


def _caption(row: dict[str, Any]) -> str:
    claims = "; ".join(
        f"{c['cue']} {c['strength']} {c['start']:.1f}-{c['end']:.1f}" for c in row["claims"]
    )
    return f"{row['recipe']} y={row['y']:.1f} {row['duration_seconds']:.2f}s | {claims}"


def contact_sheet(folder: Path, rows: Sequence[dict[str, Any]], modality: str) -> Image.Image:
    """One line a forgery: genuine, forged, and their difference three times enlarged."""
    genuine = {row["pair_id"]: row for row in rows if not row["is_manipulated"]}
    forged = [row for row in rows if row["is_manipulated"]]
    width, cell_height = CELLS[modality]
    height = cell_height + CAPTION_HEIGHT
    sheet = Image.new("RGB", (3 * width, height * len(forged)), "white")
    draw = ImageDraw.Draw(sheet)
    for line, row in enumerate(forged):
        original = VIEWS[modality](folder / genuine[row["pair_id"]]["path"])
        changed = VIEWS[modality](folder / row["path"])
        difference = np.abs(original.astype(np.int16) - changed.astype(np.int16)) * 3
        shown = np.clip(difference, 0, 255).astype(np.uint8)
        for column, picture in enumerate((original, changed, shown)):
            sheet.paste(_cell(picture, modality), (column * width, line * height))
        caption = f"{row['pair_id']} [{row['split']}] {_caption(row)}"
        draw.text((4, line * height + cell_height + 4), caption, fill="black")
    return sheet


def choose_rows(rows: Sequence[dict[str, Any]], modality: str, pairs: int) -> list[dict[str, Any]]:
    """The rows of up to `pairs` pairs, spread over the recipes, the same at each call."""
    by_recipe: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row["modality"] == modality and row["is_manipulated"]:
            by_recipe[row["recipe"]].append(row["pair_id"])
    chosen: list[str] = []
    for recipe in sorted(by_recipe):
        by_recipe[recipe].sort(key=lambda pair_id: unit_for("sheet", pair_id))
    for depth in range(max((len(ids) for ids in by_recipe.values()), default=0)):
        for recipe in sorted(by_recipe):
            if depth < len(by_recipe[recipe]) and by_recipe[recipe][depth] not in chosen:
                chosen.append(by_recipe[recipe][depth])
    kept = set(chosen[:pairs])
    return [row for row in rows if row["pair_id"] in kept]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; always 0."""
    parser = argparse.ArgumentParser(prog="python -m rl.corpus.contact_sheet", description=__doc__)
    parser.add_argument("folder", type=Path, help="a built corpus")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--modality", choices=sorted(VIEWS), default="image")
    parser.add_argument("--pairs", type=int, default=8)
    options = parser.parse_args(arguments)
    rows = choose_rows(read_manifest(options.folder), options.modality, options.pairs)
    sheet = contact_sheet(options.folder, rows, options.modality)
    partial = options.out.with_suffix(".tmp.png")
    sheet.save(partial)
    write_bytes(options.out, partial.read_bytes())
    partial.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
