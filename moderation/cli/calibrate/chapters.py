"""The chapters of a calibration report."""

from collections.abc import Sequence
from typing import Any

from moderation.calibration.assessment import SplitAssessment
from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.coverage import SERVED, Coverage
from moderation.calibration.exchangeability import Kept
from moderation.calibration.realised_risk import Risk
from moderation.cli.calibrate.pictures import diagrams_svg
from moderation.cli.chapters.section import Block, Paragraph, Picture, Report, Section, Table
from moderation.cli.chapters.wording import counted, interval, number, p_value

_FIGURES = (
    ("nll", "NLL"),
    ("brier", "Brier"),
    ("ece", "ECE, 15 bins"),
    ("adaptive_ece", "ECE, equal mass"),
)


def calibration_report(
    calibrator: FittedCalibrator, splits: Sequence[SplitAssessment], about: dict[str, Any]
) -> Report:
    """Everything that the assessments found."""
    sections = (
        _verdicts(calibrator, splits),
        _reliability(calibrator, splits),
        _coverage(calibrator, splits),
        _risk(splits),
    )
    return Report("Calibration", about, sections)


def broken_promises(splits: Sequence[SplitAssessment]) -> list[str]:
    """One sentence for each promise that a split breaks beyond chance."""
    return [
        sentence
        for split in splits
        for sentence in (*_broken_risks(split), *_broken_coverages(split))
    ]


def _broken_risks(split: SplitAssessment) -> list[str]:
    said = []
    for risk in split.risks:
        for what, found, p, kept in (
            (
                "manipulated items are allowed",
                risk.false_allow,
                risk.false_allow_p,
                risk.allow_kept,
            ),
            (
                "genuine items are enforced",
                risk.false_enforce,
                risk.false_enforce_p,
                risk.enforce_kept,
            ),
        ):
            if kept is Kept.BROKEN:
                said.append(
                    f"{split.name}: {interval(found)} of the {what}, where at most "
                    f"{risk.alpha:g} were promised ({p_value(p)}). Its items of that class are not "
                    "exchangeable with those of the calibration."
                )
    return said


def _broken_coverages(split: SplitAssessment) -> list[str]:
    return [
        f"{split.name}: the {one.method} intervals of {one.group} hold {interval(one.covered)} of "
        f"the labels, fewer than promised ({p_value(one.p_value)}). Its items are not exchangeable "
        "with those of the calibration."
        for one in split.coverages
        if one.kept is Kept.BROKEN and one.cell == SERVED and one.group == "all"
    ]


def _verdicts(calibrator: FittedCalibrator, splits: Sequence[SplitAssessment]) -> Section:
    broken = broken_promises(splits)
    own = set(calibrator.artefact.provenance.splits)
    again = [split.name for split in splits if split.name in own]
    blocks: list[Block] = []
    if again:
        blocks.append(
            Paragraph(
                f"The calibrator was fitted on {', '.join(again)}: what is found there is too "
                "good to be true of other items.",
                is_warning=True,
            )
        )
    blocks += [Paragraph(sentence, is_warning=True) for sentence in broken]
    if not broken:
        blocks.append(Paragraph("No promise is broken beyond what chance may do."))
    blocks.append(
        Paragraph(
            "Intervals and risks are promised for items that are exchangeable with those of the "
            "calibration. Sources and generators that it has not seen are not; this report says "
            "what the promises are worth there. Broken: so many misses have a chance below 1 % "
            "among exchangeable items (exact beta-binomial test). Items of one source resemble "
            "one another: the intervals, 95 % bootstrap over sources, say how far other sources "
            "may differ; a single source has none."
        )
    )
    return Section("promises", "What holds", {"broken": broken}, tuple(blocks))


def _reliability(calibrator: FittedCalibrator, splits: Sequence[SplitAssessment]) -> Section:
    rows = []
    for split in splits:
        for when, one in (("before", split.before), ("after", split.after)):
            rows.append(
                (
                    *(f"{split.name}, {when}", f"{len(split.items)}", f"{split.items.sources}"),
                    *(interval(one.figures[name]) for name, _ in _FIGURES),
                )
            )
    provenance = calibrator.artefact.provenance
    was, now = provenance.before, provenance.after
    own = (
        f"On the calibration items themselves, cross-fitted: NLL {was.nll:.3f} → "
        f"{now.nll:.3f}, ECE {was.ece:.3f} → {now.ece:.3f}, "
        f"{counted(provenance.items['all'], 'item')} of "
        f"{counted(provenance.items['sources'], 'source')}."
    )
    pictures = [
        Picture(
            svg,
            "Share manipulated against the probability stated, in ten bins, with intervals over "
            "sources. On the diagonal a probability is what it says. Bins of fewer than five "
            "items are left out. The bars at the foot say how often each was stated after "
            "calibration.",
        )
        for svg in diagrams_svg(splits)
    ]
    header = ("split", "items", "sources", *(label for _, label in _FIGURES))
    figures = {
        split.name: {
            "items": len(split.items),
            "manipulated": split.items.manipulated,
            "sources": split.items.sources,
            "before": {"figures": split.before.figures, "curve": split.before.curve},
            "after": {"figures": split.after.figures, "curve": split.after.curve},
        }
        for split in splits
    }
    blocks: tuple[Block, ...] = (
        Paragraph("Before: 1 − score / 9 read as P(manipulated). " + own),
        *pictures,
        Table(header, tuple(rows)),
    )
    return Section("reliability", "Reliability", figures, blocks)


def _coverage(calibrator: FittedCalibrator, splits: Sequence[SplitAssessment]) -> Section:
    nominal = calibrator.artefact.interval.coverage
    served = calibrator.artefact.served

    def row(split: SplitAssessment, one: Coverage) -> tuple[str, ...]:
        return (
            f"{split.name}, {one.group}",
            one.method,
            one.cell,
            f"{one.items}",
            f"{one.sources}",
            interval(one.covered),
            number(one.width, 2),
            str(one.kept),
        )

    main: list[tuple[SplitAssessment, Coverage]] = []
    families: list[tuple[SplitAssessment, Coverage]] = []
    for split in splits:
        groups = {"all", *split.items.modality_N.tolist()}
        for one in split.coverages:
            (main if one.group in groups else families).append((split, one))
    header = ("split and group", "method", "cell", "items", "sources", "covered", "width", "")

    def table(pairs: list[tuple[SplitAssessment, Coverage]], *, is_folded: bool) -> Table:
        marked = frozenset(k for k, (_, one) in enumerate(pairs) if one.kept is Kept.BROKEN)
        rows = tuple(row(split, one) for split, one in pairs)
        return Table(header, rows, marked=marked, is_folded=is_folded)

    text = (
        f"{100 * nominal:g} % of the graded labels should lie in their intervals; scores are given "
        f"the {served} ones. The quantile of an item comes from the cell of its modality, or from "
        "that of all items where the modality has too few. In service nobody knows the generator: "
        "a family with a cell of its own shows what knowing it would change."
    )
    figures = {split.name: list(split.coverages) for split in splits}
    blocks = (Paragraph(text), table(main, is_folded=False), table(families, is_folded=True))
    return Section("coverage", "Intervals of the score", figures, blocks)


def _risk(splits: Sequence[SplitAssessment]) -> Section:
    text = (
        "At each α, the machine allows items up to one probability and enforces from another. "
        "Bounded are the share of manipulated items that are allowed, and the share of genuine "
        "items that are enforced, on average over calibration sets, for exchangeable items. A "
        "dash: no bound keeps the risk with the calibration items at hand, and a person looks."
    )
    header = (
        *("split, α", "allow up to", "enforce from", "manipulated allowed", "held?"),
        *("genuine enforced", "held?", "routed alone"),
    )

    def row(split: SplitAssessment, one: Risk) -> tuple[str, ...]:
        def bound(value: float | None) -> str:
            return number(float("nan") if value is None else value)

        return (
            f"{split.name}, {one.alpha:g}",
            bound(one.bounds.allow_below),
            bound(one.bounds.enforce_above),
            interval(one.false_allow),
            str(one.allow_kept),
            interval(one.false_enforce),
            str(one.enforce_kept),
            f"{100 * (one.allowed + one.enforced):.0f} %",
        )

    pairs = [(split, one) for split in splits for one in split.risks]
    marked = frozenset(
        k for k, (_, one) in enumerate(pairs) if Kept.BROKEN in (one.allow_kept, one.enforce_kept)
    )
    table = Table(header, tuple(row(*pair) for pair in pairs), marked=marked)
    figures = {
        split.name: [
            {
                "alpha": one.alpha,
                "bounds": one.bounds,
                "false_allow": one.false_allow,
                "false_allow_p": one.false_allow_p,
                "false_allow_kept": one.allow_kept,
                "false_enforce": one.false_enforce,
                "false_enforce_p": one.false_enforce_p,
                "false_enforce_kept": one.enforce_kept,
                "allowed": one.allowed,
                "enforced": one.enforced,
            }
            for one in split.risks
        ]
        for split in splits
    }
    return Section("risk", "Routes without a person", figures, (Paragraph(text), table))
