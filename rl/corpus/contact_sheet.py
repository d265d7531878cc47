"""A picture of a corpus for a person: each forgery beside its genuine copy and the difference.

`python -m rl.corpus.contact_sheet DIR --out sheet.png [--forgeries N] [--modality image]`.
"""

import argparse
import io
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import scipy.signal
from PIL import Image, ImageDraw, ImageFont

from encoders.types import ByteArray
from moderation.atomic import write_bytes
from rl.corpus.codecs import read_picture, read_sound
from rl.corpus.manifest import read_manifest
from rl.corpus.seeds import unit_for

TITLES = ("genuine", "forged", "difference x 3")
CAPTION_PIXELS, FONT_PIXELS, GAP_PIXELS = 40, 13, 8
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


@dataclass(frozen=True, slots=True)
class Layout:
    """How one modality is shown. cell: width and height of a picture. is_stacked: the three
    pictures of a forgery stand below one another, else side by side. columns: of forgeries.
    """

    view: Callable[[Path], ByteArray]
    cell: tuple[int, int]
    is_stacked: bool
    columns: int

    @property
    def block(self) -> tuple[int, int]:
        """Width and height that one forgery takes, with its caption."""
        width, height = self.cell
        down, across = (3, 1) if self.is_stacked else (1, 3)
        return across * width + GAP_PIXELS, down * height + CAPTION_PIXELS + GAP_PIXELS

    def places(self) -> list[tuple[int, int]]:
        """Where in a block the three pictures go."""
        width, height = self.cell
        return [
            (0, CAPTION_PIXELS + k * height) if self.is_stacked else (k * width, CAPTION_PIXELS)
            for k in range(3)
        ]


LAYOUTS = {
    "image": Layout(read_picture, (240, 180), False, 2),
    "audio": Layout(spectrogram, (440, 90), True, 3),
    "video": Layout(film_strip, (540, 118), True, 3),
}


def _fitted(picture_HWC: ByteArray, size: tuple[int, int], *, is_stretched: bool) -> Image.Image:
    cell = Image.fromarray(picture_HWC)
    if is_stretched:
        return cell.resize(size)
    scale = min(size[0] / cell.width, size[1] / cell.height)
    fitted = cell.resize((round(cell.width * scale), round(cell.height * scale)))
    framed = Image.new("RGB", size, "white")
    framed.paste(fitted)
    return framed


def _caption(row: dict[str, Any]) -> str:
    claims = "; ".join(
        f"{c['cue']} ({c['strength']})"
        + (f" {c['start']:.1f}-{c['end']:.1f} s" if c["end"] > 0 else "")
        for c in row["claims"]
    )
    source = row["pair_id"].split("/", 1)[1]
    return f"{row['recipe']}  y {row['y']:.1f}  {row['split']}  {source}\n{claims}"


def _clipped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    lines = []
    for line in text.split("\n"):
        whole = line
        while line and font.getlength(line) > width:
            line = line[:-1]
        lines.append(line if line == whole else f"{line[:-2]}...")
    return "\n".join(lines)


def contact_sheet(folder: Path, rows: Sequence[dict[str, Any]], modality: str) -> Image.Image:
    """A block a forgery, with a caption: genuine, forged, and their difference enlarged."""
    layout = LAYOUTS[modality]
    genuine = {row["pair_id"]: row for row in rows if not row["is_manipulated"]}
    forged = [row for row in rows if row["is_manipulated"]]
    width, height = layout.block
    lines = -(-len(forged) // layout.columns)
    size = (layout.columns * width, FONT_PIXELS + GAP_PIXELS + lines * height)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_PIXELS)
    direction = "above" if layout.is_stacked else "the left"
    title = f"{modality}, from {direction}: {', '.join(TITLES)}"
    draw.text((2, 2), title, fill="black", font=font)
    for index, row in enumerate(forged):
        original = layout.view(folder / genuine[row["pair_id"]]["path"])
        changed = layout.view(folder / row["path"])
        difference = np.abs(original.astype(np.int16) - changed.astype(np.int16)) * 3
        shown = np.clip(difference, 0, 255).astype(np.uint8)
        left = index % layout.columns * width
        top = FONT_PIXELS + GAP_PIXELS + index // layout.columns * height
        caption = _clipped(_caption(row), font, width - GAP_PIXELS)
        draw.text((left + 2, top + 4), caption, fill="black", font=font)
        for place, picture in zip(layout.places(), (original, changed, shown), strict=True):
            cell = _fitted(picture, layout.cell, is_stretched=modality == "audio")
            sheet.paste(cell, (left + place[0], top + place[1]))
    return sheet


def choose_rows(
    rows: Sequence[dict[str, Any]], modality: str, forgeries: int
) -> list[dict[str, Any]]:
    """Up to `forgeries` forged rows, spread over the recipes, and the genuine ones of their pairs.

    The same at each call. Recipes that are two at once come last.
    """
    by_recipe: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["modality"] == modality and row["is_manipulated"]:
            by_recipe[row["recipe"]].append(row)
    for members in by_recipe.values():
        members.sort(key=lambda row: unit_for("sheet", row["pair_id"], row["recipe"]))
    ordered = sorted(by_recipe, key=lambda recipe: (recipe.count("+"), recipe))
    deepest = max((len(members) for members in by_recipe.values()), default=0)
    chosen = [
        by_recipe[recipe][depth]
        for depth in range(deepest)
        for recipe in ordered
        if depth < len(by_recipe[recipe])
    ][:forgeries]
    chosen.sort(key=lambda row: (ordered.index(row["recipe"]), row["path"]))
    pairs = {row["pair_id"] for row in chosen}
    genuine = [row for row in rows if row["pair_id"] in pairs and not row["is_manipulated"]]
    return [*genuine, *chosen]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; always 0."""
    parser = argparse.ArgumentParser(prog="python -m rl.corpus.contact_sheet", description=__doc__)
    parser.add_argument("folder", type=Path, help="a built corpus")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--modality", choices=sorted(LAYOUTS), default="image")
    parser.add_argument("--forgeries", type=int, default=18)
    options = parser.parse_args(arguments)
    rows = choose_rows(read_manifest(options.folder), options.modality, options.forgeries)
    buffer = io.BytesIO()
    contact_sheet(options.folder, rows, options.modality).save(buffer, "PNG")
    write_bytes(options.out, buffer.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
