"""Mutated media through the decoder's sandbox: a table of what became of them.

    python -m tests.faults.malformed --files 2000 [--seed 0] [--out FOLDER]

Each file is a real one, mutated once to three times (tests.faults.mutation), and read twice: its
media, and its marks of origin. What must not happen is counted, and makes the command fail: an
error without a type, a read that outlasts its limit, a child that stays, memory beyond the limit
or a parent that grows.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import psutil

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import TypedError
from encoders.formats import sniff
from encoders.provenance.reading import read_provenance
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.sandbox_errors import ChildExit
from encoders.sandbox_zygote import BURIAL_SECONDS
from tests.faults.malformed_sources import write_sources
from tests.faults.mutation import MUTATIONS
from tests.processes import children

LIMITS = ReadLimits(
    wall_seconds=30.0, cpu_seconds=10, memory_bytes=2 * 2**30, output_bytes_max=128 * 2**20
)
REQUEST = ReadRequest(Uniform(frames_max=8), audio_seconds_max=10.0)
MUTATIONS_MAX = 3
PARENT_GROWTH_BYTES_MAX = 256 * 2**20
READ = "read"


@dataclass(slots=True)
class Tally:
    """What became of the files. outcomes: READ or the code of an error, by how often.

    by_format, by_mutation: the same, by the source's format and by the first mutation.
    violations: what must not happen, in words.
    """

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    by_format: dict[str, Counter[str]] = field(default_factory=dict)
    by_mutation: dict[str, Counter[str]] = field(default_factory=dict)
    children: int = 0
    children_killed: int = 0
    child_rss_bytes_max: int = 0
    child_cpu_seconds_max: float = 0.0
    read_seconds_max: float = 0.0
    parent_growth_bytes: int = 0
    sources_missing: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def note_exit(self, ended: ChildExit) -> None:
        """A child has ended."""
        self.children += 1
        self.children_killed += ended.killed
        self.child_rss_bytes_max = max(self.child_rss_bytes_max, ended.max_rss_bytes)
        self.child_cpu_seconds_max = max(self.child_cpu_seconds_max, ended.cpu_seconds)
        if ended.max_rss_bytes > LIMITS.memory_bytes:
            self.violations.append(f"a child of {ended.max_rss_bytes} bytes")


def run(sources: Mapping[str, bytes], files: int, seed: int, folder: Path) -> Tally:
    """Mutate and read; what breaks a rule is kept in `folder`. sources: whole files, by name."""
    draw, tally = random.Random(seed), Tally(files=files)
    names = sorted(sources)
    with tempfile.TemporaryDirectory() as made:
        before = children()
        with Sandbox(limits=LIMITS, on_exit=tally.note_exit) as sandbox:
            _outcome(sandbox, _written(Path(made), sources[names[0]]), Tally(0))  # imports
            rss_bytes = psutil.Process().memory_info().rss
            tally.children = 0
            for number in range(files):
                # Each source and each mutation in turn; everything else is drawn.
                name = names[number % len(names)]
                applied = [list(MUTATIONS)[number % len(MUTATIONS)]]
                applied += draw.choices(list(MUTATIONS), k=draw.randrange(MUTATIONS_MAX))
                content = sources[name]
                for one in applied:
                    content = MUTATIONS[one](content, sources[draw.choice(names)], draw) or b"\0"
                path = _written(Path(made), content)
                wrong = len(tally.violations)
                outcome = _outcome(sandbox, path, tally)
                form = sniff(sources[name][:4096])
                tally.outcomes[outcome] += 1
                tally.by_format.setdefault(form.name if form else "?", Counter())[outcome] += 1
                tally.by_mutation.setdefault(applied[0], Counter())[outcome] += 1
                if len(tally.violations) > wrong:
                    kept = folder / f"violation-{seed}-{number}-{name}"
                    kept.write_bytes(content)
                    tally.violations[-1] += f" ({kept.name}: {', '.join(applied)})"
        tally.parent_growth_bytes = psutil.Process().memory_info().rss - rss_bytes
        left = children() - before
    if left:
        tally.violations.append(f"{len(left)} processes were left behind")
    if tally.parent_growth_bytes > PARENT_GROWTH_BYTES_MAX:
        tally.violations.append(f"this process grew by {tally.parent_growth_bytes} bytes")
    return tally


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


def _outcome(sandbox: Sandbox, path: Path, tally: Tally) -> str:
    began = time.monotonic()
    outcome = READ
    try:
        sandbox.read(path, REQUEST)
    except TypedError as error:
        outcome = error.code
    except Exception as error:
        outcome = f"untyped {type(error).__name__}"
        tally.violations.append(f"{type(error).__name__}: {error}"[:200])
    seconds = time.monotonic() - began
    tally.read_seconds_max = max(tally.read_seconds_max, seconds)
    if seconds > LIMITS.wall_seconds + 2 * BURIAL_SECONDS:
        tally.violations.append(f"a read of {seconds:.0f} s")
    try:
        tally.marks[read_provenance(sandbox, path).manifest.value] += 1
    except TypedError as error:
        tally.marks[error.code] += 1
    except Exception as error:
        tally.marks[f"untyped {type(error).__name__}"] += 1
        tally.violations.append(f"marks: {type(error).__name__}: {error}"[:200])
    return outcome


def as_markdown(tally: Tally, seed: int) -> str:
    """The table for people."""
    kinds = [kind for kind, _ in tally.outcomes.most_common()]
    lines = [
        "# Malformed media",
        "",
        f"`python -m tests.faults.malformed --files {tally.files} --seed {seed}`",
        "",
        "| outcome | files | share |",
        "|---|---|---|",
        *(f"| {k} | {tally.outcomes[k]} | {tally.outcomes[k] / tally.files:.1%} |" for k in kinds),
    ]
    for title, table in (("format", tally.by_format), ("mutation", tally.by_mutation)):
        lines += ["", f"| {title} | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
        for name in sorted(table):
            cells = " | ".join(str(table[name][kind] or "") for kind in kinds)
            lines.append(f"| {name} | {cells} |")
    lines += ["", "| marks of origin | files |", "|---|---|"]
    lines += [f"| {kind} | {count} |" for kind, count in tally.marks.most_common()]
    lines += [
        "",
        f"{tally.children} children, {tally.children_killed} of them killed; peak memory of one "
        f"{tally.child_rss_bytes_max >> 20} MiB of {LIMITS.memory_bytes >> 20}, longest processor "
        f"time {tally.child_cpu_seconds_max:.1f} s of {LIMITS.cpu_seconds}, longest read "
        f"{tally.read_seconds_max:.1f} s of {LIMITS.wall_seconds:g}. The parent grew by "
        f"{tally.parent_growth_bytes >> 20} MiB.",
        "",
        f"Violations: {len(tally.violations)}.",
        *(f"- {one}" for one in tally.violations),
    ]
    if tally.sources_missing:
        lines += ["", f"Not at hand: {', '.join(tally.sources_missing)}."]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where nothing happened that must not, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/malformed"))
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        sources, missing = write_sources(Path(made))
    tally = run(sources, options.files, options.seed, options.out)
    tally.sources_missing = missing
    text = as_markdown(tally, options.seed)
    (options.out / "outcomes.md").write_text(text)
    told = {one.name: getattr(tally, one.name) for one in fields(tally)}
    content = json.dumps(told | {"seed": options.seed}, indent=1, sort_keys=True)
    (options.out / "outcomes.json").write_text(content + "\n")
    print(text)
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
