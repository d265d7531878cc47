"""Reports as files: complete, self-contained, and deaf to what file names say."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from encoders.sandbox import Sandbox
from encoders.types import AudioSamples
from moderation.app import build_sandbox
from moderation.cli.chapters.drawing import drawing
from moderation.cli.chapters.page import html, write_report
from moderation.cli.chapters.section import (
    Card,
    Gallery,
    Paragraph,
    Picture,
    Report,
    Section,
    Table,
    as_json,
)
from moderation.errors import ConfigurationError
from moderation.settings import Settings
from rl.evaluation.comparison_chapters import comparison_report
from rl.evaluation.evaluation import Evaluation
from rl.evaluation.media import card, mp3_uri
from rl.evaluation.ranking import rank, system
from rl.evaluation.run import Request, build_report, evaluate
from rl.evaluation.worst import worst_items
from tests.unit.evaluation.recorded import labelled_rows, write_manifest, write_scores
from tests.unit.evaluation.test_comparison import CONTEXT, outputs

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\u202e'{{7*7}}$x$"


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


def request(folder: Path, mark: str = "plain", y: float | None = None) -> Request:
    """A corpus on disk with `mark` in its names, two judges' scores, and real pictures."""
    folder.mkdir()
    rows = labelled_rows(80) + labelled_rows(60, split="calibration")
    for row in rows:
        row["recipe"] = row["recipe"].replace("warp", f"warp{mark[:20]}")
        row["source"] += mark
        row["sha256"] = None
        if y is not None:
            row["y"] = y
    rows[0]["path"] = f"media/{mark.replace('/', '')[:80]}.png"
    rows[1]["path"] = "media/real.png"
    (folder / "media").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for row in rows[:2]:
        Image.fromarray(noise).save(folder / row["path"])
    write_manifest(rows, folder)
    records = []
    for k, judge_id in enumerate(("one", f"two{mark[:30]}")):
        record = folder / f"{k}.parquet"
        # The first two rows are as wrong as can be: they are shown with their pictures.
        write_scores(
            rows,
            folder,
            record,
            lambda row, rng: (
                0.0
                if row["path"].endswith(".png")
                else float(np.clip((row["y"] or 4) + rng.normal(0, 1.5), 0, 9))
            ),
            judge_id=judge_id,
            seed=k,
        )
        records.append(str(record))
    return Request(folder, tuple(records), draws=30, has_controls=False)


def reported(asked: Request) -> tuple[Evaluation, Report]:
    settings = Settings.load()
    evaluation = evaluate(asked, settings)
    return evaluation, build_report(evaluation, asked, settings)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Evaluation, Report]]:
    """The same evaluation with plain and with hostile names."""
    folder = tmp_path_factory.mktemp("reports")
    return {
        "plain": reported(request(folder / "plain")),
        "hostile": reported(request(folder / "hostile", HOSTILE)),
    }


def test_hostile_names_stay_text_everywhere(
    both: dict[str, tuple[Evaluation, Report]],
) -> None:
    written = html(both["hostile"][1])
    page, plain = Page(written), Page(html(both["plain"][1]))
    ours = [(tag, sorted(a)) for tag, a in page.tags if tag not in {"g", "path", "use", "text"}]
    assert ours == [
        (tag, sorted(a)) for tag, a in plain.tags if tag not in {"g", "path", "use", "text"}
    ]
    assert page.text.count("<script>alert(1)") > 5
    assert "\x1b" not in written
    assert "\u202e" not in written
    assert not [name for _, a in page.tags for name in a if name.startswith("on")]


def test_the_page_loads_nothing_and_runs_nothing(
    both: dict[str, tuple[Evaluation, Report]],
) -> None:
    written = html(both["plain"][1])
    page = Page(written)
    sources = [a["src"] for _, a in page.tags if "src" in a]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    linked = [a[name] for _, a in page.tags for name in ("href", "xlink:href") if name in a]
    assert all(link.startswith("#") for link in linked)
    loaded = re.findall(r"url\(([^)]*)\)", written)
    assert all(target.startswith("#") for target in loaded)
    policy = next(a["content"] for _, a in page.tags if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_every_chapter_is_there_in_both_files(
    both: dict[str, tuple[Evaluation, Report]], tmp_path: Path
) -> None:
    evaluation, report = both["plain"]
    page = Page(write_report(report, tmp_path).read_text())
    content = json.loads((tmp_path / "report.json").read_text())
    keys = ["summary", "metrics", "differences", "discrimination", "calibration", "scores"]
    keys += ["selection", "slices", "controls", "robustness", "injection", "worst"]
    assert list(content) == ["title", "about", *keys]
    assert [a["id"] for tag, a in page.tags if tag == "section"] == keys
    assert len([tag for tag, _ in page.tags if tag == "svg"]) >= 7
    shown = content["metrics"]["one"]["auc"]
    assert shown["value"] == evaluation.judges[0].measured.value["auc"]
    assert "one − twoplain" in page.text
    assert content["calibration"]["one"]["fitted"]["split"] == "calibration"
    assert "platt on 60 items of the split calibration" in page.text
    # Drawings take the page's colours, light or dark: no stand-in is left.
    assert not re.search(r"#0[12]030[1-6]|#01020[345]", html(report))


def test_the_worst_are_the_furthest_and_are_shown(
    both: dict[str, tuple[Evaluation, Report]],
) -> None:
    evaluation, report = both["plain"]
    judge = evaluation.judges[0]
    chosen = worst_items(judge)
    error = np.abs(judge.items.score_N - judge.items.y_N)
    assert len(chosen) == 20
    assert error[chosen[0]] == error.max()
    assert min(error[chosen]) >= max(np.delete(error, chosen))
    galleries = [b for b in report.sections[-1].blocks if isinstance(b, Gallery)]
    cards = {entry.title: entry for entry in galleries[0].cards}
    assert cards["media/plain.png"].frames
    gone = next(entry for title, entry in cards.items() if title.endswith(".bin"))
    assert "unreadable_file" in gone.note


def test_further_sections_come_out_in_both_files(
    both: dict[str, tuple[Evaluation, Report]],
) -> None:
    with drawing(3, 2) as result:
        result.axes[0].imshow(np.eye(2))
    further = Section(
        "listeners",
        "Listeners <b>",
        {"auc": np.float64("nan"), "grid": np.eye(2)},
        (
            Paragraph("Careful.", is_warning=True),
            Table(("person", "AUC"), (("real", "0.5"),), marked=frozenset({0})),
            Picture(result.svg, "A grid"),
            Gallery((Card("a.wav", "score 3", note="gone"),)),
        ),
    )
    plain = both["plain"][1]
    report = replace(plain, sections=(*plain.sections, further))
    assert json.loads(report.json_text())["listeners"] == {"auc": None, "grid": [[1, 0], [0, 1]]}
    written = html(report)
    assert "Listeners &lt;b&gt;" in written
    assert '<p class="warning">Careful.</p>' in written
    with pytest.raises(ValueError, match="one key"):
        replace(plain, sections=(further, further))
    with pytest.raises(ValueError, match="header"):
        Table(("one",), (("a", "b"),))
    with pytest.raises(ValueError, match="no name"):
        Section("two words", "x")


def test_without_probabilities_the_report_says_so(tmp_path: Path) -> None:
    asked = replace(request(tmp_path / "c"), fits_probabilities=False)
    evaluation, report = reported(replace(asked, judges=asked.judges[:1]))
    page = Page(html(report))
    assert "has no probabilities" in page.text
    assert "Brier" not in [c for s in report.sections for c in s.figures]
    assert "Paired differences" not in page.text
    assert evaluation.judges[0].items.probability_N is None


def test_a_judge_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    asked = Request(tmp_path / "absent", ("starter", str(tmp_path)))
    with pytest.raises(ConfigurationError, match="is no judge"):
        evaluate(asked, Settings.load())


def test_one_class_only_is_said_not_drawn(tmp_path: Path) -> None:
    asked = request(tmp_path / "c")
    rows = [row for row in labelled_rows(40) if not row["is_manipulated"]]
    write_manifest(rows, tmp_path / "g")
    record = write_scores(rows, tmp_path / "g", tmp_path / "g" / "one.parquet")
    genuine = replace(asked, manifest=tmp_path / "g", judges=(str(record),))
    page = Page(html(reported(genuine)[1]))
    assert "one class" in page.text
    assert "nan" not in page.text.lower().split()


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    with build_sandbox(Settings.load()) as made:
        yield made


def test_cards_show_what_is_there(good_media: dict[str, Path], sandbox: Sandbox) -> None:
    film = card(good_media["mp4"], "film", "", sandbox)
    assert len(film.frames) == 3
    assert film.audio.startswith("data:audio/mpeg;base64,")
    assert film.waveform.startswith("M")
    sound = card(good_media["wav"], "sound", "", sandbox)
    assert not sound.frames
    assert sound.audio
    still = card(good_media["jpg"], "still", "", sandbox)
    assert len(still.frames) == 1
    assert not still.audio
    assert "unreadable_file" in card(Path("/absent"), "gone", "", sandbox).note


def test_the_player_holds_the_sound() -> None:
    seconds, rate = 2.0, 16_000
    t = np.arange(int(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    content = base64.b64decode(mp3_uri(AudioSamples(wave, rate, rate)).partition(",")[2])
    with av.open(io.BytesIO(content)) as container:
        decoded = np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])
    assert decoded.size / rate == pytest.approx(seconds, abs=0.2)
    spectrum = np.abs(np.fft.rfft(decoded))
    assert spectrum.argmax() * rate / decoded.size == pytest.approx(440, abs=2)


def test_a_comparison_has_its_report(
    good_media: dict[str, Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = good_media["wav"].parent
    one = system("one", outputs({"tone": 3.0, "b": 4.0}, str(folder)), str(folder))
    two = system(HOSTILE, outputs({"tone": 5.0, "b": 6.0}, str(folder)), str(folder))
    report = comparison_report(rank([one, two], CONTEXT, draws=20), sandbox)
    page = Page(write_report(report, tmp_path).read_text())
    content = json.loads((tmp_path / "report.json").read_text())
    assert [s["name"] for s in content["ranking"]["systems"]] == [HOSTILE, "one"]
    assert len([tag for tag, _ in page.tags if tag == "audio"]) == 2
    assert "script" not in {tag for tag, _ in page.tags}
    assert "compared on 2 inputs" in page.text


def test_json_has_no_nan() -> None:
    value = {"a": [np.float64("nan"), np.int64(3), (math := float("inf"))], "b": {"c": True}}
    assert as_json(value) == {"a": [None, 3, None], "b": {"c": True}}
    assert math > 0
