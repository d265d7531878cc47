"""Scored uploads as a queue, and what is known of them beside their scores."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from encoders.types import Modality
from moderation.errors import ManifestError
from moderation.policy.loading import default_policy
from moderation.priority.orders import ORDERS
from moderation.replay.ranking import rank
from moderation.replay.replaying import Conditions
from moderation.replay.uploads import Upload, uploads_of
from moderation.triage.sampling import Sample
from moderation.triage.shadow import Deployed
from moderation.types import CalibratedScore, Disposition, ItemError, ItemResult, RouteBounds
from tests.unit.calibration.made import judgment

NOW = datetime(2026, 1, 31, tzinfo=UTC)
USUAL = Upload.usual("feed", 1000.0)


def scored(path: str, probability: float) -> ItemResult:
    worth = CalibratedScore(probability, 0.0, 9.0, 0.9, "audio", "made-1")
    return replace(failed(path), error=None, calibrated=worth, judgment=judgment(np.eye(10)[4]))


def failed(path: str) -> ItemResult:
    error = ItemError("decode_failed", "a broken header", "a whole file", "Send it again.", False)
    return ItemResult(path, (path[0] * 64), Modality.AUDIO, 1.0, None, error)


def ranked(results: list[ItemResult], uploads: list[Upload], order: str = "avoidable"):
    policy = default_policy()
    changes = {
        "sampling": policy.sampling.model_copy(update={"random_share": 0.0}),
        "routes": policy.routes.model_copy(update={"enforce": True}),
    }
    deployed = Deployed(policy.model_copy(update=changes), RouteBounds(0.1, 0.9))
    return rank(results, uploads, deployed, ORDERS[order](), Conditions(), now=NOW)


def test_reviews_come_first_then_what_is_enforced_then_what_is_allowed() -> None:
    results = [
        *(scored("allowed", 0.05), scored("enforced", 0.95)),
        *(scored("likely", 0.8), failed("broken"), scored("unlikely", 0.2)),
    ]
    found = ranked(results, [USUAL] * 5)
    assert {one.result.path for one in found[:3]} == {"likely", "broken", "unlikely"}
    assert [one.result.path for one in found[3:]] == ["enforced", "allowed"]
    assert [one.factors is None for one in found] == [False, False, False, True, True]
    values = [one.factors.value(NOW) for one in found[:3]]
    assert values == sorted(values, reverse=True)


def test_views_move_an_item_and_first_in_first_out_does_not_look_at_them() -> None:
    results = [scored("quiet", 0.5), scored("viral", 0.5)]
    uploads = [USUAL, Upload.usual("feed", 50_000.0)]
    assert [one.result.path for one in ranked(results, uploads)] == ["viral", "quiet"]
    assert [one.result.path for one in ranked(results, uploads, "fifo")] == ["quiet", "viral"]


def test_the_same_bytes_are_reviewed_once() -> None:
    results = [scored("a", 0.5), replace(scored("b", 0.5), sha256="a" * 64)]
    first, copy = ranked(results, [USUAL] * 2)
    assert (first.result.path, copy.outcome.served_by) == ("a", "a")
    assert copy.outcome.disposition is Disposition.REVIEW
    assert copy.factors is None


def test_evidence_that_contradicts_itself_is_drawn() -> None:
    policy = default_policy()
    drawing = policy.sampling.model_copy(update={"random_share": 0.0, "disagreement_share": 1.0})
    deployed = Deployed(policy.model_copy(update={"sampling": drawing}), RouteBounds(0.9, None))
    torn = np.zeros(10)
    torn[[0, 9]] = 0.5
    results = [scored("sure", 0.5), replace(scored("torn", 0.5), judgment=judgment(torn))]
    first, last = rank(results, [USUAL] * 2, deployed, ORDERS["avoidable"](), Conditions(), now=NOW)
    assert (first.result.path, first.outcome.sample) == ("torn", Sample.DISAGREEMENT)
    assert (last.result.path, last.outcome.disposition) == ("sure", Disposition.ALLOW)


def test_what_is_known_of_uploads_is_found_by_path_and_by_bytes(tmp_path: Path) -> None:
    results = [scored(str(tmp_path / name), 0.5) for name in ("a.wav", "b.wav", "c.wav")]
    results[1] = replace(results[1], sha256="b" * 64)
    table = tmp_path / "uploads.csv"
    rows = ["path,sha256,surface,remaining_views", "a.wav,,message,5", f",{'b' * 64},,7"]
    table.write_text("\n".join(rows))
    assert uploads_of(results, USUAL, table) == [
        Upload.usual("message", 5.0),
        Upload.usual("feed", 7.0),
        USUAL,
    ]


@pytest.mark.parametrize("content", ["surface\nfeed\n", "path,reach\na,many\n", "path,reach\na,-1"])
def test_a_table_that_cannot_be_is_refused(tmp_path: Path, content: str) -> None:
    table = tmp_path / "uploads.csv"
    table.write_text(content)
    with pytest.raises(ManifestError, match=r"uploads\.csv"):
        uploads_of([scored("a", 0.5)], USUAL, table)
