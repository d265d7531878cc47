"""What finding near-duplicates costs, on SQLite.

    python -m tests.benchmarks.lookalikes [--hashes 1000000]

`load_seconds`: reading all hashes once, at the first file of a process. `search_milliseconds`: one
picture against all of them, the median of 20. `still_milliseconds`, `video_milliseconds`: keeping
a new file with 1 and with 16 pictures, search and commit included. Processor time of this process.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from encoders.types import Modality
from moderation.casework.lookalikes import PictureIndex, keep_pictures, search_pictures
from moderation.database import open_engine, reading, upgrade, writing
from moderation.intake.tables import contents, pictures
from moderation.triage.near_duplicates import DISTANCE_USUAL
from moderation.types import ItemResult, Judgment, Mode

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILE = "00" * 32


def seconds(work: Callable[[], object]) -> float:
    """Processor time of `work`."""
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    """Fill a database, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    total = parser.parse_args().hashes
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'it.sqlite'}")
        upgrade(engine)
        with writing(engine) as connection:
            names = [FILE, *(f"{k:064x}" for k in range(1, 22))]
            files = [{"sha256": one, "size_bytes": 1, "first_seen_at": NOW} for one in names]
            connection.execute(insert(contents), files)
            for begin in range(0, total, 50_000):
                rows = [
                    {"sha256": FILE, "modality": "image", "hash": rng.randbytes(32)}
                    for _ in range(min(50_000, total - begin))
                ]
                connection.execute(insert(pictures), rows)
        index = PictureIndex()
        with reading(engine) as connection:
            load = seconds(lambda: index.catch_up(connection))
        search = [
            seconds(lambda: index.near([rng.randbytes(32)], DISTANCE_USUAL)) for _ in range(20)
        ]

        def keep(name: str, frames: int) -> None:
            judgment = Judgment((1.0, *[0.0] * 9), 1.0, 0.0, Mode.FAST, "judge")
            hashes = tuple(rng.randbytes(32).hex() for _ in range(frames))
            result = ItemResult(
                name, name, Modality.VIDEO, 1.0, judgment, None, picture_hashes=hashes
            )
            with reading(engine) as connection:
                found = search_pictures(connection, index, result, distance_max=DISTANCE_USUAL)
            with writing(engine) as connection:
                keep_pictures(
                    connection, index, name, Modality.VIDEO, found, distance_max=DISTANCE_USUAL
                )

        still = [seconds(lambda name=name: keep(name, 1)) for name in names[1:11]]
        video = [seconds(lambda name=name: keep(name, 16)) for name in names[11:]]
        engine.dispose()
    print(
        json.dumps(
            {
                "hashes": total,
                "load_seconds": round(load, 2),
                "search_milliseconds": round(1e3 * statistics.median(search), 1),
                "still_milliseconds": round(1e3 * statistics.median(still), 1),
                "video_milliseconds": round(1e3 * statistics.median(video), 1),
            }
        )
    )


if __name__ == "__main__":
    main()
