"""The sections of an evaluation's report, each from the evaluation alone."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from moderation.calibration import metrics
from moderation.calibration.draws import Draws
from moderation.cli.chapters.section import Block, Paragraph, Picture, Section, Table
from moderation.cli.chapters.wording import counted, interval, number, p_value
from rl.evaluation import graded, pictures, roc
from rl.evaluation.evaluation import Evaluation
from rl.evaluation.measurement import METRICS, common_names
from rl.evaluation.selective import digit_spread, risk_coverage
from rl.evaluation.summary import summary


def sections(evaluation: Evaluation) -> Iterator[Section]:
    """Every chapter but the slices and the worst errors, which have modules of their own."""
    yield summary(evaluation)
    yield all_figures(evaluation)
    if len(evaluation.judges) > 1:
        yield differences(evaluation)
    yield discrimination(evaluation)
    yield probabilities(evaluation)
    yield distributions(evaluation)
    yield selection(evaluation)
    if any(judge.claims for judge in evaluation.judges):
        yield claims(evaluation)


def all_figures(evaluation: Evaluation) -> Section:
    """Every metric with its interval, a column a judge."""
    names = [n for n in METRICS if any(n in judge.measured.value for judge in evaluation.judges)]
    figures = {judge.name: judge.measured.estimates for judge in evaluation.judges}
    tables = []
    for family in dict.fromkeys(METRICS[name].family for name in names):
        rows = tuple(
            (
                METRICS[name].label + {1: " ↑", -1: " ↓", 0: ""}[METRICS[name].better],
                *(interval(figures[judge.name].get(name)) for judge in evaluation.judges),
            )
            for name in names
            if METRICS[name].family == family
        )
        tables.append(Table((family, *(judge.name for judge in evaluation.judges)), rows))
    note = Paragraph(
        "↑ higher is better, ↓ lower is better. EER, minDCF and actDCF are those of "
        "ASVspoof 5: ties are one threshold, P(spoof) = .05, costs 1 and 10."
    )
    return Section("metrics", "All figures", figures, (note, *tables))


def differences(evaluation: Evaluation) -> Section:
    """Paired differences of every two judges."""
    names = common_names([judge.measured for judge in evaluation.judges])
    tables = tuple(
        Table(
            (f"{first} − {second}", "difference", "p"),
            tuple(
                (METRICS[name].label, interval(found[name]), p_value(found[name].p))
                for name in names
            ),
            marked=frozenset(
                k for k, name in enumerate(names) if found[name].low > 0 or found[name].high < 0
            ),
        )
        for (first, second), found in evaluation.differences.items()
    )
    figures = {f"{a} - {b}": found for (a, b), found in evaluation.differences.items()}
    note = Paragraph(
        "Both judges are measured on the same draws of sources. Marked: the 95 % interval leaves "
        "out 0. With many figures some are marked by chance."
    )
    return Section("differences", "Paired differences", figures, (note, *tables))


def discrimination(evaluation: Evaluation) -> Section:
    """ROC and DET."""
    curves = {
        judge.name: roc.roc(
            judge.items.score_N, judge.items.is_manipulated_N, Draws.once(len(judge.items))
        )
        for judge in evaluation.judges
    }
    truth = evaluation.judges[0].items.is_manipulated_N
    if truth.all() or not truth.any():
        said = "All items are of one class: there is nothing to tell apart."
        return Section(
            "discrimination", "Genuine against manipulated", {}, (Paragraph(said, True),)
        )
    picture = Picture(pictures.roc_and_det(curves), "ROC and detection error trade-off.")
    return Section("discrimination", "Genuine against manipulated", {}, (picture,))


def probabilities(evaluation: Evaluation) -> Section:
    """Reliability of P(manipulated), where there is one, and where it comes from."""
    bins, figures, blocks = {}, {}, list[Block]()
    for judge in evaluation.judges:
        p_N, truth_N = judge.items.probability_N, judge.items.is_manipulated_N
        if p_N is None:
            said = (
                f"{judge.name} has no probabilities: its record holds none, and the manifest has "
                "no split `calibration` or `validation` with 10 items of each class, scored and "
                "of other sources, to fit them on. The score is no probability, so Brier, NLL, "
                "ECE, Cllr and actDCF are left out."
            )
            blocks.append(Paragraph(said, is_warning=True))
            continue
        fitted = judge.calibration
        if fitted is None:
            blocks.append(Paragraph(f"{judge.name} recorded P(manipulated) beside its scores."))
        else:
            said = (
                f"{judge.name}: P(manipulated) is fitted for this report, {fitted.calibrator.name} "
                f"on {counted(fitted.items, 'item')} of the split {fitted.split}, "
                f"{100 * fitted.prior:.0f} % of them manipulated. The judge ships no calibrator."
            )
            blocks.append(Paragraph(said))
        once = Draws.once(len(judge.items))
        bins[judge.name] = metrics.reliability_bins(p_N, truth_N, once)
        figures[judge.name] = {
            "fitted": None
            if fitted is None
            else {"method": fitted.calibrator.name, **asdict(fitted)},
            "prior": judge.items.prior,
            "bins": asdict(bins[judge.name]),
        }
    if bins:
        caption = (
            "Share manipulated in 15 bins of the stated probability; on the diagonal is right."
        )
        blocks.append(Picture(pictures.reliability(bins), caption))
    return Section("calibration", "Probabilities", figures, tuple(blocks))


def distributions(evaluation: Evaluation) -> Section:
    """Scores against labels, and the PIT histogram."""
    labelled = np.isfinite(evaluation.judges[0].items.y_N)
    if not labelled.any():
        said = Paragraph("The manifest has no graded labels y: graded figures are left out.", True)
        return Section("scores", "Scores and labels", {}, (said,))
    mine = {judge.name: judge.items.take(labelled) for judge in evaluation.judges}
    y_N = next(iter(mine.values())).y_N
    scores = {name: items.score_N for name, items in mine.items()}
    pit = {
        name: graded.randomised_pit(items.digit_NK, y_N)
        for name, items in mine.items()
        if items.digit_NK is not None
    }
    figures = {
        name: {"pit_histogram": np.histogram(values, np.linspace(0, 1, 11))[0]}
        for name, values in pit.items()
    }
    blocks: list[Block] = [
        Picture(pictures.distributions(scores, y_N), "Scores and labels, in half levels."),
        Picture(pictures.score_against_label(scores, y_N), "Each item: label across, score up."),
    ]
    if pit:
        caption = (
            "Randomised PIT: flat when the digit distribution is calibrated; a U is too sure, a "
            "hill not sure enough, a slope biased."
        )
        blocks.append(Picture(pictures.pit_histogram(pit), caption))
    return Section("scores", "Scores and labels", figures, tuple(blocks))


def selection(evaluation: Evaluation) -> Section:
    """Risk against coverage, and the review load."""
    panels: dict[str, dict[str, object]] = {}
    for judge in evaluation.judges:
        items = judge.items
        once = Draws.once(len(items))
        if items.digit_NK is not None and np.isfinite(items.y_N).all():
            loss = np.abs(items.score_N - items.y_N)
            curve = risk_coverage(loss, -digit_spread(items.digit_NK), once)
            panels.setdefault("mean |score − y|", {})[judge.name] = curve
        if items.probability_N is not None:
            wrong = ((items.probability_N >= 0.5) != items.is_manipulated_N).astype(np.float64)
            curve = risk_coverage(wrong, np.abs(items.probability_N - 0.5), once)
            panels.setdefault("share of wrong decisions", {})[judge.name] = curve
    blocks: list[Block] = []
    if panels:
        caption = (
            "What is left to people: the least sure items first, by the spread of the digits, or "
            "by the distance of P(manipulated) from one half."
        )
        blocks.append(Picture(pictures.risk_and_coverage(panels), caption))  # type: ignore[arg-type]
    rows = []
    figures: dict[str, dict[str, float]] = {}
    for judge in evaluation.judges:
        curve_of = roc.roc(
            judge.items.score_N, judge.items.is_manipulated_N, Draws.once(len(judge.items))
        )
        figures[judge.name] = {}
        for miss in (0.2, 0.1, 0.05, 0.01):
            load = float(roc.review_load(curve_of, miss)[0])
            figures[judge.name][f"review_load_at_miss_{miss:g}"] = load
            rows.append((f"{judge.name}, {100 * miss:g} % missed", f"{100 * load:.1f} %"))
    caption = "Least share of all items to review so that no more forgeries than that are missed."
    blocks.append(Table(("judge", "review load"), tuple(rows), caption))
    return Section("selection", "Leaving the hard ones to people", figures, tuple(blocks))


def claims(evaluation: Evaluation) -> Section:
    """Precision and recall of what rationales claim."""
    found = {judge.name: judge.claims for judge in evaluation.judges if judge.claims}
    rows = tuple(
        (
            name,
            f"{c.items:,}",
            f"{c.claimed:,}",
            number(c.precision),
            f"{c.true:,}",
            number(c.recall),
            number(c.time_precision),
            number(c.time_recall),
            number(c.time_overlap),
        )
        for name, c in found.items()
    )
    header = (
        *("judge", "rationales", "claims", "precision", "true spans", "recall"),
        *("precision by time", "recall by time", "overlap"),
    )
    note = Paragraph(
        "A claim is true when a true span of the same modality overlaps it. By time, every second "
        "counts: shares of the claimed and of the true time, and their intersection over union, "
        "as means over items."
    )
    return Section("claims", "What rationales claim", found, (note, Table(header, rows)))
