"""The encoder as a whole: shapes, determinism, degenerate input, and what is documented."""

import subprocess
import sys
from pathlib import Path

import made_media as made
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from encoders.forensic import ForensicEncoder
from encoders.forensic.catalogue import BY_NAME, KINDS
from encoders.forensic.encoder import RANGE_ITEMS_MIN
from encoders.forensic.norms import load_norms, percentile_range, robust_scale
from encoders.forensic.signal_table import table
from encoders.types import AudioSamples, Direction, Encoding, Modality, Signal

DOCUMENT = Path(__file__).parents[3] / "docs" / "signals.md"


@pytest.fixture(scope="module")
def encoder() -> ForensicEncoder:
    return ForensicEncoder()


def named(encoding: Encoding) -> dict[str, Signal]:
    return {signal.name: signal for signal in encoding.signals}


def test_a_film_with_sound_gives_three_sequences_and_its_signals(encoder: ForensicEncoder) -> None:
    item = made.media(made.film(12), made.sound(made.speech(3.0)))
    encoding = encoder.encode([item])[0]
    by_name = {sequence.encoder: sequence for sequence in encoding.sequences}
    assert set(by_name) == {"forensic_image", "forensic_motion", "forensic_audio"}
    assert len(by_name["forensic_image"].start_seconds_N) == 12
    assert len(by_name["forensic_motion"].start_seconds_N) == 11
    assert len(by_name["forensic_audio"].start_seconds_N) == 12 - 1
    assert by_name["forensic_image"].modality is Modality.VIDEO
    assert set(by_name["forensic_audio"].layers) == {"cepstra", "spectrum", "phase", "pitch"}
    for sequence in encoding.sequences:
        assert np.all(sequence.start_seconds_N <= sequence.end_seconds_N)
        assert sequence.end_seconds_N.max() <= item.duration_seconds + 1e-6
        for layer in sequence.layers.values():
            assert layer.dtype == np.float32
            assert np.abs(layer).max() <= 8
    assert {"image.noise_inconsistency", "video.return", "audio.jitter"} <= set(named(encoding))


def test_a_still_gives_one_position_and_maps(encoder: ForensicEncoder) -> None:
    encoding = encoder.encode([made.media([made.picture()])])[0]
    (sequence,) = encoding.sequences
    assert sequence.modality is Modality.IMAGE
    assert len(sequence.start_seconds_N) == 1
    assert set(named(encoding)) == {k.name for k in KINDS if k.group == "image"}
    maps = [s.heat_map_HW for s in encoding.signals if s.heat_map_HW is not None]
    assert len(maps) == 6
    for map_hw in maps:
        assert map_hw.dtype == np.float32
        assert map_hw.shape == (16, 20)
        assert 0 <= map_hw.min() <= map_hw.max() <= 1


def test_a_reduced_still_has_no_grid_signals(encoder: ForensicEncoder) -> None:
    from dataclasses import replace

    item = made.media([made.picture()])
    assert item.frames is not None
    reduced = replace(item, frames=replace(item.frames, source_height=2560, source_width=3200))
    names = set(named(encoder.encode([reduced])[0]))
    assert not names & {"image.grid_displacement", "image.double_quantisation"}
    assert "image.noise_inconsistency" in names


def test_the_span_of_a_films_signal_is_its_worst_frame(encoder: ForensicEncoder) -> None:
    frames = made.film(8)
    frames[5] = made.blurred(frames[5])
    signal = named(encoder.encode([made.media(frames)])[0])["image.error_level_inconsistency"]
    assert signal.span.start_seconds == pytest.approx(5 / 4)
    assert signal.span.end_seconds == pytest.approx(6 / 4)


def test_equal_to_the_bit_on_repeat_and_whatever_the_neighbours(encoder: ForensicEncoder) -> None:
    film = made.media(made.film(6), made.sound(made.speech(1.5)))
    still = made.media([made.picture(seed=4)])
    first = encoder.encode([film])[0]
    again = ForensicEncoder().encode([still, film])[1]
    assert [s.value for s in first.signals] == [s.value for s in again.signals]
    for a, b in zip(first.sequences, again.sequences, strict=True):
        for name, layer in a.layers.items():
            assert layer.tobytes() == b.layers[name].tobytes()


def test_forged_pictures_are_unusual_where_genuine_ones_are_not(encoder: ForensicEncoder) -> None:
    genuine = made.jpeg(made.picture(384, 512), 90)
    forged = genuine.copy()
    rows, columns = made.centre(genuine)
    region = genuine[rows, columns]
    forged[8 : 8 + region.shape[0], 12 : 12 + region.shape[1]] = region
    before, after = (named(e) for e in encoder.encode([made.media([p]) for p in (genuine, forged)]))
    assert not before["image.copy_move_peak"].is_unusual
    assert after["image.copy_move_peak"].is_unusual


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    count=st.integers(1, 4),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    kind=st.sampled_from(["constant", "noise", "line", "extremes"]),
    level=st.integers(0, 255),
)
def test_any_frames_give_finite_features(
    encoder: ForensicEncoder, count: int, height: int, width: int, kind: str, level: int
) -> None:
    rng = np.random.default_rng(level)
    pixels = np.full((count, height, width, 3), level, np.uint8)
    if kind == "noise":
        pixels = rng.integers(0, 256, pixels.shape).astype(np.uint8)
    elif kind == "line":
        pixels[:, :, width // 2] = 255 - level
    elif kind == "extremes":
        pixels = (rng.integers(0, 2, pixels.shape) * 255).astype(np.uint8)
    encoding = encoder.encode([made.media(list(pixels))])[0]
    assert all(np.isfinite(signal.value) for signal in encoding.signals)
    assert encoding.sequences[0].layers["noise"].shape[0] == count


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    waveform=hnp.arrays(
        np.float32,
        st.integers(1, 6000),
        elements=st.floats(-1, 1, width=32),
        fill=st.sampled_from([0.0, 0.5, 2.0**-16]),
    ),
    rate_hz=st.sampled_from([4000, 8000, 16_000, 22_050, 48_000]),
)
def test_any_sound_gives_finite_features(
    encoder: ForensicEncoder, waveform: np.ndarray, rate_hz: int
) -> None:
    encoding = encoder.encode([made.media(audio=AudioSamples(waveform, rate_hz, rate_hz))])[0]
    assert all(np.isfinite(signal.value) for signal in encoding.signals)
    assert encoding.sequences[0].layers["cepstra"].shape[1] == 120


def test_silence_gives_features_but_no_signals(encoder: ForensicEncoder) -> None:
    encoding = encoder.encode([made.media(audio=made.sound(np.zeros(160)))])[0]
    assert encoding.signals == ()
    assert len(encoding.sequences) == 1


def test_two_frames_are_no_motion(encoder: ForensicEncoder) -> None:
    encoding = encoder.encode([made.media(made.film(2))])[0]
    assert [sequence.encoder for sequence in encoding.sequences] == ["forensic_image"]


def test_every_signal_has_a_measured_range() -> None:
    norms = load_norms()
    assert set(norms.ranges) == set(BY_NAME)
    for name, by_modality in norms.ranges.items():
        for entry in by_modality.values():
            assert entry.count > 0, name
            assert entry.low <= entry.high, name


def test_a_range_over_few_items_says_so(encoder: ForensicEncoder) -> None:
    """Four clips give no percentiles, and the reader of a report cannot know that."""
    signals = named(encoder.encode([made.media(made.film(12), made.sound(made.speech(3.0)))])[0])
    norms = load_norms()
    remarked = {name for name, signal in signals.items() if "items only" in signal.explanation}
    few = {
        name
        for name, signal in signals.items()
        if norms.range(name, signal.modality.value).count < RANGE_ITEMS_MIN
    }
    assert remarked == few
    assert "av.onset_agreement" in few


def test_features_that_the_norms_do_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="measure typical ranges again"):
        load_norms().standardised("forensic_image.noise", {"other": np.zeros(3)})


def test_percentiles_and_scales_in_closed_form() -> None:
    assert percentile_range([float(v) for v in range(101)]) == (5.0, 95.0, 101)
    middle, scale = robust_scale(np.random.default_rng(0).normal(3, 2, 50_000))
    assert middle == pytest.approx(3, abs=0.05)
    assert scale == pytest.approx(2, abs=0.05)
    assert robust_scale(np.zeros(10))[1] > 0


def test_the_documented_table_is_that_of_the_code() -> None:
    assert table() in DOCUMENT.read_text(encoding="utf-8")
    for kind in KINDS:
        assert kind.explanation.endswith(".")
        assert isinstance(kind.direction, Direction)


def test_importing_the_encoder_loads_no_framework() -> None:
    code = (
        "import sys, encoders.forensic as f; f.ForensicEncoder();"
        "print([m for m in ('torch', 'cv2', 'av') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
