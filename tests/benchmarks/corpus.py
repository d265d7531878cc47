"""Clips built per second of processor time, by modality, with the starter recipe's settings.

    python -m tests.benchmarks.corpus [--pairs 12] [--out FILE.json]

The media are made here, of the size of usual sources, so that nothing has to be fetched. Writing to
disk, speech engines and the leak check count. A second of processor time is a second of one core,
which other work on the machine changes little.
"""

import argparse
import json
import resource
import tempfile
from pathlib import Path

from rl.corpus.build import build
from rl.corpus.codecs import film_bytes, jpeg_bytes, sound_bytes
from rl.corpus.recipe import (
    CorpusRecipe,
    FilmSource,
    PhotoSource,
    Source,
    VoiceSource,
    load_recipe,
)
from rl.corpus.scenes import RATE_HZ, film, picture, voice

STARTER = Path("rl/recipes/corpus-starter.toml")
COMMON = {"name": "made", "origin": "made here", "licence": "CC0-1.0"}
WORDS = "one two three four five six seven eight nine ten"


def write_sources(folder: Path, pairs: int) -> dict[str, Source]:
    """Photographs of 640 by 480, utterances of 5 s, a film of 768 by 432 at 15 frames a second."""
    for k in range(pairs):
        (folder / f"{k}.jpg").write_bytes(jpeg_bytes(picture(k, 480, 640), 92))
        (folder / f"{k}.wav").write_bytes(sound_bytes(voice(k, 5.0), RATE_HZ))
        (folder / f"{k}.txt").write_text(WORDS)
    frames = film(1, frames=60, height=432, width=768)
    (folder / "film.mp4").write_bytes(film_bytes(frames, 15.0, 18))
    common = {**COMMON, "clips": pairs}
    return {
        "images": PhotoSource(**common, folder=".", shares={"train": 1.0}),
        "audio": VoiceSource(**common, folder=".", kind="words", split="train", language="en"),
        "video": FilmSource(**common, path="film.mp4", split="train"),
    }


def of_one_section(recipe: CorpusRecipe, section: str, source: Source) -> CorpusRecipe:
    """The recipe with this one source and none in the other sections."""
    changed = {
        name: getattr(recipe, name).model_copy(
            update={"sources": (source,) if name == section else (), "folders": ()}
        )
        for name in ("images", "audio", "video")
    }
    return recipe.model_copy(update=changed)


def processor_seconds() -> float:
    """Of this process and of the commands that it ran."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def clips_per_second(pairs: int) -> dict[str, dict[str, float]]:
    """Clips, and clips per second and core, by section of the recipe."""
    report: dict[str, dict[str, float]] = {}
    recipe = load_recipe(STARTER)
    with tempfile.TemporaryDirectory() as name:
        media = Path(name, "media")
        media.mkdir()
        for section, source in write_sources(media, pairs).items():
            begin = processor_seconds()
            wanted = of_one_section(recipe, section, source)
            rows = build(wanted, Path(name, section), [media], workers=1).rows
            seconds = processor_seconds() - begin
            report[section] = {"clips": len(rows), "clips_per_core_second": len(rows) / seconds}
    return report


def main() -> None:
    """Run and print; `--out` also writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    text = json.dumps(clips_per_second(options.pairs), indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
