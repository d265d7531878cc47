"""The controls: what a detector could learn instead of forgeries, measured one by one.

A control on classifiers holds out whole sources, or pairs where there are fewer than four sources.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from moderation.errors import ConfigurationError
from rl.detectors.pooled import Pooled, PooledLayout
from rl.probes.control_classifier import Labels, boosted_auc, linear_auc, matrix_of
from rl.probes.file_facts import FileFacts
from rl.probes.sample import Row
from rl.probes.statistics import Estimate, Floats, auc, bootstrap, estimate_mean
from rl.probes.verdict import Verdict, leak_verdict, undecided

REAL_AGAINST_REAL_MAX = 0.70
MARGIN_MIN = 0.15
LEAK_MAX = 0.60
SHIFT_MIN = -0.25
COLLECTION_ITEMS_MIN = 10


def collection_of(row: Row) -> str:
    """The data set of a row: named, or the first two steps of its pair's name."""
    named = row.get("collection")
    return str(named) if named else "/".join(str(row["pair_id"]).split("/")[:2])


def _labels(rows: Sequence[Row]) -> Labels:
    return np.array([row["is_manipulated"] for row in rows], bool)


def _leak(name: str, what: str, rows: Sequence[Row], matrix_ND: Floats, draws: int) -> Verdict:
    informative = matrix_ND.shape[1] and not np.isnan(matrix_ND).all()
    if len(rows) == 0 or not informative:
        return undecided(name, LEAK_MAX, f"The corpus has no {what}.")
    sources, pairs = [row["source"] for row in rows], [row["pair_id"] for row in rows]
    try:
        found = boosted_auc(matrix_ND, _labels(rows), sources, pairs, draws=draws)
    except ConfigurationError as error:
        return undecided(name, LEAK_MAX, str(error))
    return leak_verdict(name, found, LEAK_MAX, what)


def codec_only(rows: Sequence[Row], facts: Sequence[FileFacts], *, draws: int = 1000) -> Verdict:
    """Predict the class from container, codec, bit rate, size and quality alone."""
    matrix = matrix_of([fact.codec for fact in facts], [fact.codec_names for fact in facts])
    return _leak("codec-only", "file and codec metadata", rows, matrix, draws)


def duration_only(rows: Sequence[Row], facts: Sequence[FileFacts], *, draws: int = 1000) -> Verdict:
    """Predict the class from seconds and frame counts alone."""
    matrix = matrix_of([fact.duration for fact in facts])
    return _leak("duration", "duration", rows, matrix, draws)


def silence_only(rows: Sequence[Row], facts: Sequence[FileFacts], *, draws: int = 1000) -> Verdict:
    """Predict the class from the lengths of leading and trailing silence alone."""
    heard = [i for i, fact in enumerate(facts) if fact.silence]
    matrix = matrix_of([facts[i].silence for i in heard])
    what = "leading and trailing silence"
    return _leak("silence", what, [rows[i] for i in heard], matrix, draws)


def source_overlap(rows: Sequence[Row]) -> Verdict:
    """Count sources, pairs and identical files that are in more than one split; exact."""
    shared = {
        column: sorted(value for value, splits in _splits(rows, column).items() if len(splits) > 1)
        for column in ("source", "pair_id", "sha256")
    }
    count = float(sum(map(len, shared.values())))
    named = "; ".join(
        f"{len(values)} {column} (such as {values[0]})"
        for column, values in shared.items()
        if values
    )
    said = (
        f"In more than one split: {named}. Scores on the later split are too good."
        if count
        else "No source, pair or file is in two splits."
    )
    return Verdict("source overlap", Estimate(count, count, count), 0.0, count == 0, said)


def _splits(rows: Sequence[Row], column: str) -> dict[str, set[str]]:
    splits: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.get(column):
            splits[str(row[column])].add(str(row["split"]))
    return splits


def recompression(
    rows: Sequence[Row], before_N: Floats, after_N: Floats, *, draws: int = 1000
) -> Verdict:
    """Whether genuine items lose score by recompression alone.

    before_N, after_N: scores in [0, 9] of `rows` and of their mildly recompressed copies.
    """
    name = "recompression"
    kept = ~_labels(rows) & np.isfinite(before_N) & np.isfinite(after_N)
    if not kept.any():
        return undecided(name, SHIFT_MIN, "No genuine item was scored before and after.")
    shift_N = (after_N - before_N)[kept]
    sources = np.array([row["source"] for row in rows])[kept].tolist()
    found = estimate_mean(shift_N, sources, draws=draws)
    # One source has no interval: its shift stands as it is.
    fails = found.value < SHIFT_MIN and not found.high >= 0.0
    said = "lowers" if fails else "does not lower"
    return Verdict(
        name,
        found,
        SHIFT_MIN,
        not fails,
        f"Recompression alone {said} genuine scores: mean shift {found} of 9 points.",
    )


def real_against_real(
    rows: Sequence[Row], pooled: Sequence[Pooled], *, draws: int = 1000
) -> Verdict:
    """Tell genuine collections apart with the features that tell forged from genuine.

    rows: of one modality. Each collection with ten genuine items stands against the others, and
    the worst counts: it may reach .70, and stays .15 below the forged against the genuine.
    """
    name = "real against real"
    genuine = [i for i, row in enumerate(rows) if not row["is_manipulated"]]
    counts = Counter(collection_of(rows[i]) for i in genuine)
    large = sorted(c for c, count in counts.items() if count >= COLLECTION_ITEMS_MIN)
    if len(large) < 2:
        return undecided(
            name,
            REAL_AGAINST_REAL_MAX,
            f"The corpus has {len(large)} genuine collections of {COLLECTION_ITEMS_MIN} items of "
            "this modality; two are needed.",
        )
    matrix = PooledLayout.of(pooled).matrix(pooled)
    chosen = [i for i in genuine if collection_of(rows[i]) in large]
    collection_N = np.array([collection_of(rows[i]) for i in chosen])
    against = {
        collection: _told_apart(matrix, rows, chosen, collection_N == collection, draws)
        for collection in large
    }
    worst = max(against, key=lambda collection: against[collection].value)
    found = against[worst]
    everything = list(range(len(rows)))
    fake = _told_apart(matrix, rows, everything, _labels(rows), draws)
    passed = found.value <= REAL_AGAINST_REAL_MAX and fake.value - found.value >= MARGIN_MIN
    said = (
        f"The features tell genuine {worst} from the other genuine collections with AUC {found}, "
        f"and forged from genuine with {fake}: "
    )
    said += (
        "they see forgeries more than data sets."
        if passed
        else "they see data sets as well as forgeries, so only pairs of one source, and sources "
        "held out, measure forgeries."
    )
    return Verdict(name, found, REAL_AGAINST_REAL_MAX, passed, said)


def _told_apart(
    matrix_ND: Floats, rows: Sequence[Row], at: Sequence[int], labels_N: Labels, draws: int
) -> Estimate:
    """A collection may be one source, so groups are sources only where every class has several."""
    pairs = [rows[i]["pair_id"] for i in at]
    sources = [rows[i]["source"] for i in at]
    classes = [{s for s, mine in zip(sources, labels_N, strict=True) if mine == k} for k in (0, 1)]
    groups = sources if min(map(len, classes)) >= 4 else pairs
    return linear_auc(matrix_ND[list(at)], labels_N, groups, pairs, draws=draws)


def real_against_real_scores(rows: Sequence[Row], score_N: Floats, *, draws: int = 1000) -> Verdict:
    """Whether a judge's scores tell genuine sources apart: the same bound, on its own output.

    The worst source with ten genuine items against the other genuine items of one modality.
    """
    name = "real against real, scores"
    genuine = ~_labels(rows) & np.isfinite(score_N)
    sources = np.array([row["source"] for row in rows])[genuine]
    pairs = np.array([row["pair_id"] for row in rows])[genuine]
    kept_N = score_N[genuine]
    counts = Counter(sources.tolist())
    large = sorted(s for s, count in counts.items() if count >= COLLECTION_ITEMS_MIN)
    if len(counts) < 2 or not large:
        return undecided(
            name, REAL_AGAINST_REAL_MAX, "The corpus has too few genuine items a source."
        )

    def apart(source: str) -> Estimate:
        mine_N = sources == source
        return bootstrap(lambda i: _either_way(kept_N[i], mine_N[i]), pairs.tolist(), draws=draws)

    worst = max(large, key=lambda s: _either_way(kept_N, sources == s))
    found = apart(worst)
    passed = found.value <= REAL_AGAINST_REAL_MAX
    said = "tell" if not passed else "hardly tell"
    return Verdict(
        name,
        found,
        REAL_AGAINST_REAL_MAX,
        passed,
        f"Scores {said} genuine {worst} from other genuine items: AUC {found}.",
    )


def _either_way(score_N: Floats, mine_N: Labels) -> float:
    value = auc(score_N, mine_N)
    return max(value, 1.0 - value)
