"""What Whisper heard, from encoder output that is already there."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from encoders.types import FloatArray, Span, TranscriptSegment
from encoders.whisper_decoding import EncodedDecodingTask, weigh_cross_attention

_TOKENS_PER_SECOND = 10
_TOKENS_MIN = 12
_FRAME_SAMPLES = 1600
_SILENCE_RMS = 1e-3


def is_silent(waveform_T: FloatArray) -> bool:
    """No tenth of a second is louder than -60 dB of full scale: nothing to transcribe."""
    for start in range(0, waveform_T.size, _FRAME_SAMPLES):
        frame = waveform_T[start : start + _FRAME_SAMPLES]
        if math.sqrt(float((frame.astype("float64") ** 2).mean())) >= _SILENCE_RMS:
            return False
    return True


def segments_of_tokens(
    tokens: Sequence[int], timestamp_begin: int, window: Span
) -> list[tuple[Span, list[int]]]:
    """Split decoded tokens at their timestamps (20 ms steps from the window's start).

    Text before the first timestamp starts with the window; text after the last one ends with it.
    Times outside the window are moved to its edge. Text tokens are below `timestamp_begin`.
    """
    segments: list[tuple[Span, list[int]]] = []
    start = window.start_seconds
    text: list[int] = []
    for token in tokens:
        if token < timestamp_begin:
            text.append(token)
            continue
        seconds = window.start_seconds + 0.02 * (token - timestamp_begin)
        seconds = min(max(seconds, start), window.end_seconds)
        if text:
            segments.append((Span(start, seconds), text))
            text = []
        start = seconds
    if text:
        segments.append((Span(start, window.end_seconds), text))
    return segments


@dataclass(frozen=True, slots=True)
class Gates:
    """When a decoded window is taken for a hallucination and dropped.

    logprob_min: mean log-probability a token. no_speech_max: with it, the probability of the
    no-speech token. compression_max: more than this is the same words over and over.
    """

    logprob_min: float = -1.0
    no_speech_max: float = 0.6
    compression_max: float = 2.4

    def passes(self, result: Any) -> bool:
        if result.avg_logprob < self.logprob_min or result.no_speech_prob > self.no_speech_max:
            return False
        return bool(result.compression_ratio <= self.compression_max)


class Transcriber:
    """Greedy decoding (temperature 0) with openai-whisper's own rules for timestamps."""

    def __init__(self, model: Any, gates: Gates | None = None) -> None:
        from whisper.tokenizer import get_tokenizer

        self._model = model
        self._attentions = weigh_cross_attention(model.decoder)
        self._gates = gates or Gates()
        with warnings.catch_warnings():
            # whisper leaves its vocabulary file to the garbage collector to close.
            warnings.simplefilter("ignore", ResourceWarning)
            self._tokenizer = get_tokenizer(
                model.is_multilingual, num_languages=model.num_languages
            )

    def transcribe(
        self, encoded_BPD: torch.Tensor, bias_B11P: torch.Tensor, windows: Sequence[Span]
    ) -> list[tuple[TranscriptSegment, ...]]:
        """Segments of each of B windows.

        encoded_BPD: the encoder's output at the P computed positions. bias_B11P: log of how many
        positions of the 30 s each stands for. A clip gets no more tokens than speech of its length
        needs: a decoder that loops is cut off early.
        """
        from whisper.decoding import DecodingOptions

        budgets = [_token_budget(window) for window in windows]
        options = DecodingOptions(
            language=None if self._model.is_multilingual else "en",
            temperature=0.0,
            sample_len=max(budgets),
            fp16=False,
        )
        for attention in self._attentions:
            attention.attend_to(encoded_BPD, bias_B11P)
        results = EncodedDecodingTask(self._model, options).run(encoded_BPD)
        return [
            self._segments(result, window, budget)
            for result, window, budget in zip(results, windows, budgets, strict=True)
        ]

    def _segments(self, result: Any, window: Span, budget: int) -> tuple[TranscriptSegment, ...]:
        if not self._gates.passes(result):
            return ()
        segments = segments_of_tokens(
            result.tokens[:budget], self._tokenizer.timestamp_begin, window
        )
        texts = [(span, self._tokenizer.decode(tokens).strip()) for span, tokens in segments]
        return tuple(TranscriptSegment(span, text) for span, text in texts if text)


def _token_budget(window: Span) -> int:
    seconds = window.end_seconds - window.start_seconds
    return min(224, _TOKENS_MIN + math.ceil(_TOKENS_PER_SECOND * seconds))
