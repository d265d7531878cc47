"""The speech encoder on real voices: against the full 30 s, alone and in batches."""

import json
import warnings
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
import whisper
from safetensors.torch import load_file
from scipy.signal import resample_poly
from torch.nn import functional

from encoders.errors import WeightsError, WeightsMissing
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    Encoding,
    FloatArray,
    FrameBatch,
    MediaMetadata,
    Modality,
    Span,
)
from encoders.weights import WeightStore
from encoders.whisper import WhisperEncoder
from encoders.whisper_decoding import EncodedDecodingTask, weigh_cross_attention
from encoders.whisper_transcript import is_silent, segments_of_tokens

VOICES = Path(__file__).parents[1] / "data" / "voices"
METADATA = MediaMetadata("wav", 1, "0" * 64, (), (), "test")
RATE = 16_000
LAYERS = ["stem", "block_1", "block_2", "block_3", "block_4"]
# Of layer-normalised features over one clip; see encoders.whisper_layout.
TOLERANCES = {"stem": 1e-5, "block_1": 0.03, "block_2": 0.03, "block_3": 0.03, "block_4": 0.06}


def voice(name: str) -> FloatArray:
    """A sample at 16 kHz in [-1, 1]."""
    with wave.open(str(VOICES / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.asarray(resample_poly(samples / 32768, 2, 1), dtype=np.float32)


def media(waveform: FloatArray, rate: int = RATE) -> DecodedMedia:
    audio = AudioSamples(np.ascontiguousarray(waveform, np.float32), rate, 8000)
    return DecodedMedia(METADATA, Modality.AUDIO, audio.duration_seconds, None, audio)


def picture() -> DecodedMedia:
    frames = FrameBatch(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1), 8, 8)
    return DecodedMedia(METADATA, Modality.IMAGE, 0.0, frames, None)


def text(encoding: Encoding) -> str:
    return "" if encoding.transcript is None else encoding.transcript.text


@pytest.fixture(scope="module")
def encoder() -> WhisperEncoder:
    return WhisperEncoder()


@pytest.fixture(scope="module")
def model() -> whisper.Whisper:
    """The same weights in openai-whisper's own model."""
    folder = WeightStore().path("whisper-tiny.en")
    dims = whisper.ModelDimensions(**json.loads((folder / "dims.json").read_text()))
    loaded = whisper.model.Whisper(dims)
    loaded.load_state_dict(load_file(folder / "model.safetensors"))
    return loaded.eval()


def full_layers(model: whisper.Whisper, waveform: FloatArray) -> dict[str, torch.Tensor]:
    """openai-whisper's own encoder over 30 s, at 10 Hz, padded positions dropped."""
    captured: list[torch.Tensor] = []
    hooks = [
        block.register_forward_hook(lambda _module, _inputs, output: captured.append(output[0]))
        for block in model.encoder.blocks
    ]
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(waveform))
    with torch.inference_mode():
        model.encoder(mel[None])
        stem = functional.gelu(model.encoder.conv1(mel[None]))
        captured.insert(0, functional.gelu(model.encoder.conv2(stem))[0].T)
    for hook in hooks:
        hook.remove()
    positions = -(-waveform.size // 320)
    return {
        name: torch.stack([part.mean(dim=0) for part in layer[:positions].split(5)])
        for name, layer in zip(LAYERS, captured, strict=True)
    }


@pytest.mark.weights
@pytest.mark.parametrize("name", ["en-auth-incorrect", "en-conf-kicked", "it-auth-incorrect"])
def test_thinned_silence_keeps_the_features_of_the_full_window(
    name: str, encoder: WhisperEncoder, model: whisper.Whisper
) -> None:
    waveform = voice(name)
    (sequence,) = encoder.encode([media(waveform)])[0].sequences
    assert list(sequence.layers) == LAYERS
    for layer, expected in full_layers(model, waveform).items():
        found = torch.from_numpy(sequence.layers[layer])
        assert found.shape == expected.shape
        ours, theirs = (functional.layer_norm(value, (384,)) for value in (found, expected))
        assert (ours - theirs).norm() <= TOLERANCES[layer] * theirs.norm(), layer
        assert functional.cosine_similarity(ours, theirs).min() > 0.9, layer


@pytest.mark.weights
def test_without_thinning_it_is_whispers_own_encoder(model: whisper.Whisper) -> None:
    waveform = voice("en-conf-kicked")
    exact = WhisperEncoder(thinning=None, transcribe=False)
    (sequence,) = exact.encode([media(waveform)])[0].sequences
    for layer, expected in full_layers(model, waveform).items():
        np.testing.assert_allclose(sequence.layers[layer], expected, atol=1e-4)


@pytest.mark.weights
def test_an_item_is_the_same_in_any_batch(encoder: WhisperEncoder) -> None:
    items = [
        media(voice("en-auth-incorrect")),
        picture(),
        media(voice("en-conf-kicked")),
        media(voice("it-auth-incorrect")[:700]),
        media(np.zeros(8000, np.float32)),
    ]
    together = encoder.encode(items)
    assert together[1] == Encoding()
    assert encoder.encode([]) == []
    for index in (0, 2, 3, 4):
        alone = encoder.encode([items[index]])[0]
        assert alone.transcript == together[index].transcript
        for layer in LAYERS:
            np.testing.assert_allclose(
                together[index].sequences[0].layers[layer],
                alone.sequences[0].layers[layer],
                atol=1e-4,
            )


@pytest.mark.weights
def test_transcript_says_what_was_said_and_when(encoder: WhisperEncoder) -> None:
    first, second = encoder.encode(
        [media(voice("en-auth-incorrect")), media(voice("en-conf-kicked"))]
    )
    assert text(first).lower().replace(",", "") == (
        "password incorrect. please enter your password followed by the pound key."
    )
    assert text(second) == "You have been kicked from this conference."
    assert first.transcript is not None
    duration = voice("en-auth-incorrect").size / RATE
    assert first.transcript.segments[0].span.start_seconds < 0.5
    assert duration - 1 < first.transcript.segments[-1].span.end_seconds <= duration


@pytest.mark.weights
@pytest.mark.parametrize("name", ["en-auth-incorrect", "en-conf-kicked"])
def test_without_thinning_the_transcript_is_whispers_own(name: str, model: whisper.Whisper) -> None:
    waveform = voice(name)
    padded = whisper.pad_or_trim(torch.from_numpy(waveform))
    options = whisper.DecodingOptions(language="en", temperature=0.0, fp16=False)
    theirs = whisper.decode(model, whisper.log_mel_spectrogram(padded), options)
    ours = WhisperEncoder(thinning=None).encode([media(waveform)])[0]
    assert text(ours) == theirs.text


@pytest.mark.weights
def test_the_language_of_a_multilingual_decoder_is_its_likeliest_token() -> None:
    torch.manual_seed(0)
    dims = whisper.model.ModelDimensions(80, 1500, 64, 2, 1, 51865, 448, 64, 2, 1)
    plain = whisper.model.Whisper(dims).eval()
    encoded = torch.randn(3, 1500, 64)
    with warnings.catch_warnings():
        # whisper leaves its vocabulary file to the garbage collector to close.
        warnings.simplefilter("ignore", ResourceWarning)
        tokenizer = whisper.tokenizer.get_tokenizer(True, num_languages=plain.num_languages)
    _, probabilities = whisper.decoding.detect_language(plain, encoded, tokenizer)
    expected = [max(row, key=row.__getitem__) for row in probabilities]
    for attention in weigh_cross_attention(plain.decoder):
        attention.attend_to(encoded, torch.zeros(3, 1, 1, 1500))
    options = whisper.DecodingOptions(temperature=0.0, sample_len=1, fp16=False)
    results = EncodedDecodingTask(plain, options).run(encoded)
    assert [result.language for result in results] == expected


@pytest.mark.weights
def test_sound_without_speech_has_no_transcript(encoder: WhisperEncoder) -> None:
    rng = np.random.default_rng(0)
    seconds = np.arange(3 * RATE) / RATE
    sounds = {
        "silence": np.zeros(3 * RATE),
        "hiss": 0.05 * rng.normal(size=3 * RATE),
        "tone": 0.1 * np.sin(2 * np.pi * 440 * seconds),
        "hum": 0.1 * np.sin(2 * np.pi * 50 * seconds),
        "quiet": 0.0005 * rng.normal(size=3 * RATE),
    }
    encodings = encoder.encode([media(sound) for sound in sounds.values()])
    heard = {name: text(encoding) for name, encoding in zip(sounds, encodings, strict=True)}
    assert heard == dict.fromkeys(sounds, "")
    assert all(encoding.sequences for encoding in encodings)


@pytest.mark.weights
def test_long_sound_goes_in_windows_with_running_times(encoder: WhisperEncoder) -> None:
    sentence = voice("en-conf-kicked")
    long = np.zeros(33 * RATE, np.float32)
    long[: sentence.size] = sentence
    long[-sentence.size :] = sentence
    encoding = encoder.encode([media(long)])[0]
    (sequence,) = encoding.sequences
    assert sequence.start_seconds_N.size == 330
    np.testing.assert_allclose(sequence.start_seconds_N, np.arange(330) / 10)
    assert sequence.end_seconds_N[-1] == pytest.approx(33)
    assert encoding.transcript is not None
    starts = [segment.span.start_seconds for segment in encoding.transcript.segments]
    assert starts[0] < 1
    assert starts[-1] >= 30
    assert text(encoding).count("kicked from this conference") == 2


@pytest.mark.weights
def test_another_sample_rate_is_resampled(encoder: WhisperEncoder) -> None:
    waveform = voice("en-conf-kicked")
    half = resample_poly(waveform, 1, 2).astype(np.float32)
    there, back = encoder.encode([media(waveform), media(half, RATE // 2)])
    assert text(there) == text(back)
    assert there.sequences[0].start_seconds_N.size == back.sequences[0].start_seconds_N.size


def test_missing_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"models pull whisper-tiny\.en"):
        WhisperEncoder(weights=WeightStore(cache_dir=tmp_path))
    with pytest.raises(WeightsMissing, match="is no file"):
        WhisperEncoder(checkpoint=tmp_path / "absent.pt")
    with pytest.raises(WeightsMissing, match="nonsense"):
        WhisperEncoder(model="nonsense")
    torch.save({"weights": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="does not load"):
        WhisperEncoder(checkpoint=tmp_path / "other.pt")


@pytest.mark.weights
def test_a_local_checkpoint_gives_the_same_features(
    tmp_path: Path, encoder: WhisperEncoder, model: whisper.Whisper
) -> None:
    path = tmp_path / "tiny.pt"
    dims = model.dims.__dict__
    torch.save({"dims": dims, "model_state_dict": model.state_dict()}, path)
    local = WhisperEncoder(checkpoint=path, transcribe=False)
    item = media(voice("en-conf-kicked"))
    for layer, values in encoder.encode([item])[0].sequences[0].layers.items():
        np.testing.assert_array_equal(local.encode([item])[0].sequences[0].layers[layer], values)
    assert local.version != encoder.version


def test_tokens_split_at_their_timestamps() -> None:
    window = Span(30.0, 34.0)
    begin = 100
    tokens = [begin, 1, 2, begin + 50, begin + 60, 3, begin + 400, 4]
    assert segments_of_tokens(tokens, begin, window) == [
        (Span(30.0, 31.0), [1, 2]),
        (Span(31.2, 34.0), [3]),
        (Span(34.0, 34.0), [4]),
    ]
    assert segments_of_tokens([5], begin, window) == [(window, [5])]
    assert segments_of_tokens([begin, begin + 3], begin, window) == []


def test_silence_is_below_minus_60_decibels() -> None:
    loud = np.zeros(RATE, np.float32)
    loud[-100:] = 0.1
    assert not is_silent(loud)
    assert is_silent(np.full(RATE, 0.0009, np.float32))
    assert not is_silent(np.full(RATE, 0.0011, np.float32))
