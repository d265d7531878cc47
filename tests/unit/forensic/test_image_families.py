"""Each image signal moves in its direction on a forgery of its kind, and its map shows where."""

import made_media as made
import numpy as np
import pytest
from PIL import Image

from encoders.forensic.block_dct import (
    displacement,
    edge_phases,
    histogram_roughness,
    quantisation_step,
    read_block_dct,
)
from encoders.forensic.copy_move import read_copy_move
from encoders.forensic.encoder import read_frame
from encoders.forensic.noise import noise_levels
from encoders.forensic.reading import BLOCK, analysis_luma
from encoders.forensic.residual import KERNEL_3X3, residual_3x3
from encoders.forensic.spectrum import (
    BINS,
    log_power,
    power_law,
    radial_profile,
    resampling_peak,
)
from encoders.types import ByteArray, FloatArray


def values(pixels: ByteArray) -> dict[str, float]:
    readings, _ = read_frame(pixels)
    return {name: v for reading in readings.values() for name, v in reading.values.items()}


def heat_map(pixels: ByteArray, name: str) -> FloatArray:
    readings, _ = read_frame(pixels)
    return next(r.heat_maps[name] for r in readings.values() if name in r.heat_maps)


def inside_over_outside(pixels: ByteArray, name: str) -> float:
    map_hw = heat_map(pixels, name)
    rows, columns = made.centre(pixels)
    mask = np.zeros(map_hw.shape, bool)
    mask[
        rows.start // BLOCK : rows.stop // BLOCK, columns.start // BLOCK : columns.stop // BLOCK
    ] = True
    return float(map_hw[mask].mean() / (map_hw[~mask].mean() + 1e-3))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    "name",
    [
        "image.residual_inconsistency",
        "image.noise_inconsistency",
        "image.error_level_inconsistency",
        "image.blur_inconsistency",
    ],
)
def test_a_softened_region_raises_the_signal_and_lights_up(name: str, seed: int) -> None:
    genuine = made.picture(seed=seed)
    forged = made.blurred(genuine)
    assert values(forged)[name] > 1.3 * values(genuine)[name]
    assert inside_over_outside(forged, name) > 2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_noisier_region_raises_the_noise_signal_and_lights_up(seed: int) -> None:
    genuine = made.picture(seed=seed)
    forged = made.noisy(genuine)
    name = "image.noise_inconsistency"
    assert values(forged)[name] > 1.5 * values(genuine)[name]
    assert inside_over_outside(forged, name) > 2


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_the_noise_level_is_that_of_white_noise(sigma: float) -> None:
    rng = np.random.default_rng(0)
    luma = (128 + rng.normal(0, sigma, (256, 256))).astype(np.float32)
    assert np.median(noise_levels(luma)) == pytest.approx(sigma, rel=0.05)


def test_the_separable_residual_is_the_3x3_kernel() -> None:
    from scipy import ndimage

    luma = np.random.default_rng(0).uniform(0, 255, (40, 50)).astype(np.float32)
    expected = ndimage.correlate(luma, KERNEL_3X3)
    np.testing.assert_allclose(residual_3x3(luma)[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-3)


def test_residuals_vanish_on_a_ramp() -> None:
    ramp = np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.float32)
    assert np.abs(residual_3x3(ramp)).max() < 1e-3


@pytest.mark.parametrize("exponent", [2.0, 3.0])
def test_the_slope_of_a_power_law_is_its_exponent(exponent: float) -> None:
    fy, fx = np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None]
    power = -exponent * np.log10(np.maximum(np.hypot(fy, fx), 1e-3))
    profile = radial_profile(power.astype(np.float32), 256, 256)
    assert len(profile) == BINS
    slope, excess = power_law(profile)
    assert slope == pytest.approx(-exponent, abs=0.1)
    assert abs(excess) < 0.5


def test_white_noise_has_no_slope() -> None:
    luma = np.random.default_rng(0).normal(128, 20, (256, 256)).astype(np.float32)
    slope, _ = power_law(radial_profile(log_power(luma), 256, 256))
    assert abs(slope) < 0.25


def test_a_checkerboard_raises_its_peak() -> None:
    genuine = made.picture()
    forged = genuine.astype(np.int16)
    forged[::2, ::2] += 2
    forged[1::2, 1::2] += 2
    forged = np.clip(forged, 0, 255).astype(np.uint8)
    name = "image.checkerboard_peak"
    assert values(forged)[name] > values(genuine)[name] + 10


@pytest.mark.parametrize("factor", [1.2, 1.37])
def test_enlarging_leaves_a_period(factor: float) -> None:
    genuine = made.picture()
    size = (round(320 * factor), round(256 * factor))
    forged = np.asarray(Image.fromarray(genuine).resize(size, Image.Resampling.BICUBIC))
    assert resampling_peak(analysis_luma(forged)) > resampling_peak(analysis_luma(genuine)) + 6


def test_smoothing_a_whole_picture_lowers_its_highest_frequencies() -> None:
    genuine = made.picture()
    small = Image.fromarray(genuine).resize((160, 128), Image.Resampling.BILINEAR)
    forged = np.asarray(small.resize((320, 256), Image.Resampling.BICUBIC))
    assert (
        values(forged)["image.high_frequency_deviation"]
        < values(genuine)["image.high_frequency_deviation"] - 3
    )
    assert values(forged)["image.noise_level"] < 0.5 * values(genuine)["image.noise_level"]
    assert values(forged)["image.spectral_slope"] != values(genuine)["image.spectral_slope"]


@pytest.mark.parametrize("offset", [0, 3, 5])
def test_the_grid_is_found_where_it_is(offset: int) -> None:
    pixels = made.jpeg(made.picture(), 40)[offset:, offset:]
    _, strength, phase = displacement(edge_phases(analysis_luma(pixels)))
    assert strength > 1.5
    assert phase == (7 - offset) % 8


def test_no_grid_in_a_picture_that_was_never_compressed() -> None:
    _, strength, _ = displacement(edge_phases(analysis_luma(made.picture())))
    assert strength < 0.7


def test_a_paste_with_a_displaced_grid_raises_the_signal_and_lights_up() -> None:
    genuine = made.jpeg(made.picture(), 40)
    donor = made.jpeg(made.picture(seed=5), 40)
    rows, columns = made.centre(genuine)
    forged = genuine.copy()
    height, width = rows.stop - rows.start, columns.stop - columns.start
    forged[rows, columns] = donor[3 : 3 + height, 5 : 5 + width]
    name = "image.grid_displacement"
    assert values(forged)[name] > 1.7 * values(genuine)[name]
    assert inside_over_outside(forged, name) > 2


def test_the_quantisation_step_is_read_from_the_coefficients() -> None:
    rng = np.random.default_rng(0)
    coefficients = 11 * np.rint(rng.laplace(0, 3, 4000)) + rng.normal(0, 0.3, 4000)
    assert quantisation_step(coefficients.astype(np.float32)) == 11
    assert quantisation_step(rng.laplace(0, 30, 4000).astype(np.float32)) == 1


def test_double_quantisation_roughens_the_histogram() -> None:
    rng = np.random.default_rng(0)
    raw = rng.laplace(0, 30, 20_000)
    once = np.rint(raw / 5).astype(np.int64)
    twice = np.rint(np.rint(raw / 8) * 8 / 5).astype(np.int64)
    assert histogram_roughness(twice) > histogram_roughness(once) + 2


def test_compressing_twice_raises_double_quantisation() -> None:
    once = made.jpeg(made.picture(512, 512), 90)
    twice = made.jpeg(made.jpeg(made.picture(512, 512), 60), 90)
    name = "image.double_quantisation"
    low, high = (read_block_dct(analysis_luma(p)).values[name] for p in (once, twice))
    assert high > low + 0.5


def test_a_region_copied_within_the_picture_repeats() -> None:
    genuine = made.picture()
    forged = genuine.copy()
    rows, columns = made.centre(genuine)
    region = genuine[rows, columns]
    forged[8 : 8 + region.shape[0], 12 : 12 + region.shape[1]] = region
    forged = made.jpeg(forged, 97)
    name = "image.copy_move_peak"
    before = read_copy_move(analysis_luma(made.jpeg(genuine, 97)))
    after = read_copy_move(analysis_luma(forged))
    assert after.values[name] > before.values[name] + 5
    assert inside_over_outside(forged, name) > 2


def test_large_pictures_are_reduced_by_whole_pixels_and_small_ones_continued() -> None:
    assert analysis_luma(np.zeros((1025, 40, 3), np.uint8)).shape == (513, 32)
    assert analysis_luma(np.full((1, 1, 3), 200, np.uint8)).shape == (32, 32)
