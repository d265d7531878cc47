"""The HTML report: complete, self-contained, and deaf to what hostile files put into it."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from encoders.provenance.types import ManifestAction, ManifestState, Provenance
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    Direction,
    FloatArray,
    FrameBatch,
    MediaFeatures,
    MediaMetadata,
    Modality,
    Signal,
    Span,
    StreamInfo,
    Transcript,
    TranscriptSegment,
)
from moderation.cli.report import render
from moderation.cli.report.evidence import lanes, signal_rows, sound_marks
from moderation.cli.report.figures import (
    FRAMES_SHOWN,
    frame_pictures,
    sound_picture,
    waveform_path,
)
from moderation.materials.sound import spectrogram_db
from moderation.types import (
    Claim,
    Examination,
    Judgment,
    Mode,
    Rationale,
    ScoredSpan,
    Strength,
)

HOSTILE = (
    "\"><script src=//evil.example/x.js></script><img src=x onerror=alert(1)>\x1b[2J\u202e'{{7*7}}"
)


SHORT = Span(1.0, 1.5)


def signal(
    name: str = "image.noise",
    value: float = 9.0,
    span: Span = SHORT,
    modality: Modality = Modality.VIDEO,
    heat: FloatArray | None = None,
    low: float = 1.0,
    high: float = 3.0,
) -> Signal:
    return Signal(name, modality, value, "dB", span, Direction.HIGH, low, high, "why", heat)


def frames(count: int, height: int = 60, width: int = 80) -> FrameBatch:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return FrameBatch(pixels, np.arange(count) * 0.5, height, width)


def tone(hertz: float, seconds: float = 2.0, rate: int = 16_000) -> AudioSamples:
    t = np.arange(int(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * np.pi * hertz * t)).astype(np.float32)
    return AudioSamples(wave, rate, 8_000)


def examination(text: str = "plain", *, still: bool = False, mode: Mode = Mode.FULL) -> Examination:
    stream = StreamInfo(text, text, 80, 60, 4, 2.0, 2.0)
    metadata = MediaMetadata(
        text, 1234, "ab" * 32, (stream,), (stream,), text, {text: text, "k": "v"}, (text,)
    )
    modality = Modality.IMAGE if still else Modality.VIDEO
    media = DecodedMedia(
        metadata,
        modality,
        0.0 if still else 2.0,
        frames(1 if still else 4),
        None if still else tone(1000.0),
    )
    heat = np.eye(6, 8, dtype=np.float32)
    measured = Signal(
        text, modality, 9.0, text, Span(0.5, 1.0), Direction.HIGH, 1.0, 3.0, text, heat
    )
    claims = (
        Claim(Modality.VIDEO, Span(0.5, 1.0), text, Strength.STRONG),
        Claim(Modality.AUDIO, Span(1.0, 1.5), text, Strength.CLEAR),
    )
    features = MediaFeatures(
        metadata,
        modality,
        media.duration_seconds,
        (),
        (measured,),
        Transcript((TranscriptSegment(Span(0.0, 1.0), text),)),
    )
    digits = (0.05, 0.15, 0.4, 0.2, 0.1, 0.05, 0.02, 0.02, 0.01, 0.0)
    rationale = Rationale(text + "\n" + text, claims, is_complete=False)
    verdict = Judgment(digits, 0.9, 2.45, mode, text, rationale if mode is Mode.FULL else None)
    stretches = () if still else (Span(0.0, 1.5), Span(0.5, 2.0))
    timeline = tuple(ScoredSpan(one, 2.0 + one.start_seconds) for one in stretches)
    said = Provenance(
        ManifestState.INVALID,
        reasons=(text,),
        claim_generator=text,
        signer=text,
        actions=(ManifestAction(text, "trainedAlgorithmicMedia"),),
        notes=(text,),
    )
    return Examination(text, media, features, verdict, said, timeline)


class Page(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_hostile_strings_stay_text_everywhere() -> None:
    html = render(examination(HOSTILE))
    page, plain = Page(html), Page(render(examination("plain")))
    # The same elements and attributes as for a harmless file: nothing broke out.
    assert [(t, sorted(a)) for t, a in page.tags] == [(t, sorted(a)) for t, a in plain.tags]
    assert page.text.count("{{7*7}}") > 10
    assert "\x1b" not in html
    assert "\u202e" not in html


def test_nothing_is_loaded_and_only_our_script_may_run() -> None:
    page = Page(html := render(examination()))
    sources = [a["src"] for _, a in page.tags if "src" in a]
    assert sources
    assert all(s.startswith(("data:image/png", "data:image/jpeg")) for s in sources)
    assert not page.all("link")
    assert "url(" not in html
    assert not re.search(r"https?:", re.sub(r"base64,[^\"]+", "", html))
    assert not [name for _, a in page.tags for name in a if name.startswith("on")]
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_every_part_is_there() -> None:
    page = Page(render(examination("xyzzy")))
    for heading in ("Authenticity", "claims", "Frames", "Sound", "Signals", "Speech", "File"):
        assert heading in page.text
    assert "2.45" in page.text
    assert "40 %" in page.text
    assert len([a for a in page.all("img") if a.get("class") == "heat"]) == 1
    assert len(page.all("option")) == 1
    assert [a["points"] for a in page.all("polyline")] == ["375.0,77.8 625.0,72.2 "]
    assert any(a.get("title") == "2.50, 0.50–2.00 s" for a in page.all("i"))


@pytest.mark.parametrize("mode", list(Mode))
def test_a_still_has_no_time_axis(mode: Mode) -> None:
    page = Page(render(examination(still=True, mode=mode)))
    assert "Sound" not in page.text
    assert "over time" not in page.text
    assert "Picture" in page.text
    assert ("What the judge claims" in page.text) == (mode is Mode.FULL)
    assert not [a for a in page.all("div") if a.get("class") == "lane"]


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_heat_maps_lie_on_the_nearest_frame_and_survive_the_choice() -> None:
    heat = np.zeros((6, 8), np.float32)
    heat[1, 2] = 1.0
    batch = frames(100)
    pictures = frame_pictures(batch, [signal(heat=heat, span=Span(20.3, 21.0)), signal()])
    assert len(pictures) == FRAMES_SHOWN
    assert [p.seconds for p in pictures] == sorted({p.seconds for p in pictures})
    marked = [p for p in pictures if p.overlays]
    assert [p.seconds for p in marked] == [20.5]
    image = decoded(marked[0].overlays[0].source)
    alpha = np.asarray(image.getchannel("A"))
    assert image.mode == "RGBA"
    assert alpha[1, 2] == 255
    assert alpha.sum() == 255


def test_frames_are_reduced_in_proportion() -> None:
    picture = frame_pictures(frames(2, 500, 1000), [])[0]
    assert (picture.width, picture.height) == (480, 240)
    assert decoded(picture.source).size == (480, 240)


def test_a_tone_shows_at_its_frequency() -> None:
    level = spectrogram_db(tone(2000.0).waveform_T)
    assert level.shape[0] == 257
    assert np.all(level.argmax(axis=0) == 2000 * 512 // 16_000)
    assert level.max() == 0.0
    assert level.min() >= -80.0


@pytest.mark.parametrize("samples", [1, 700, 16_000 * 120])
def test_sound_of_any_length_has_bounded_pictures(samples: int) -> None:
    audio = AudioSamples(np.full(samples, 0.1, np.float32), 16_000, 16_000)
    picture = sound_picture(audio)
    assert decoded(picture.spectrogram).width <= 1000
    assert picture.waveform.count("L") <= 1000
    assert picture.source_limit is None


def test_silence_is_drawn_as_silence() -> None:
    audio = AudioSamples(np.zeros(16_000, np.float32), 16_000, 16_000)
    pixels = np.asarray(decoded(sound_picture(audio).spectrogram).convert("RGB"))
    assert pixels.max() < 10
    heights = [float(y) for y in re.findall(r",([\d.]+)", waveform_path(audio.waveform_T))]
    assert set(heights) == {49.5, 50.5}


def test_a_narrow_recording_shows_where_it_ends() -> None:
    assert sound_picture(tone(500.0)).source_limit == pytest.approx(0.5)


def test_unusual_signals_come_first_with_their_place_on_the_strip() -> None:
    rows = signal_rows([signal("usual", 2.0), signal("odd", 5.0), signal("nan", float("nan"))])
    assert [row.name for row in rows] == ["odd", "usual", "nan"]
    odd, usual, nan = rows
    assert odd.is_unusual
    assert odd.value_position is not None
    assert odd.value_position > odd.typical_start + odd.typical_width
    assert usual.value_position == pytest.approx(50.0)
    assert nan.value_position is None


def test_a_signal_without_spread_still_has_a_strip() -> None:
    row = signal_rows([signal(value=0.0, low=0.0, high=0.0)])[0]
    assert row.value_position == pytest.approx(50.0)
    assert row.typical_width == 0.0


def test_claims_beyond_the_end_stay_on_the_axis() -> None:
    claims = (
        Claim(Modality.AUDIO, Span(5.0, 400.0), "late", Strength.WEAK),
        Claim(Modality.AUDIO, Span(1.0, 2.0), "early", Strength.CLEAN),
        Claim(Modality.VIDEO, Span(900.0, 901.0), "beyond", Strength.CLEAR),
    )
    video, audio = lanes(claims, 10.0)
    assert (video.modality, audio.modality) == ("video", "audio")
    assert [(m.start, m.width) for m in audio.marks] == [(10.0, 10.0), (50.0, 50.0)]
    assert [(m.start, m.width) for m in video.marks] == [(100.0, 0.0)]


def test_sound_marks_join_equal_stretches_and_leave_out_the_clean_and_the_whole() -> None:
    claims = (
        Claim(Modality.AUDIO, Span(1.0, 2.0), "ripple", Strength.CLEAR),
        Claim(Modality.AUDIO, Span(3.0, 4.0), "fine", Strength.CLEAN),
        Claim(Modality.VIDEO, Span(5.0, 6.0), "warp", Strength.STRONG),
    )
    signals = [
        signal("tilt", span=Span(1.0, 2.0), modality=Modality.AUDIO),
        signal("whole", span=Span(0.0, 10.0), modality=Modality.AUDIO),
        signal("usual", 2.0, span=Span(7.0, 8.0), modality=Modality.AUDIO),
    ]
    (mark,) = sound_marks(claims, signals, 10.0)
    assert mark.label == "ripple (clear), tilt, 1.00–2.00 s"
    assert (mark.start, mark.width) == (10.0, 10.0)
