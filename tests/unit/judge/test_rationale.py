from hypothesis import given
from hypothesis import strategies as st

from encoders.types import Modality, Span
from moderation.judge.rationale import format_rationale, parse_rationale
from moderation.types import Claim, Strength

TENTHS = st.integers(0, 9999).map(lambda n: n / 10)
SPANS = st.tuples(TENTHS, TENTHS).map(lambda pair: Span(min(pair), max(pair)))
MARKED = st.builds(
    Claim,
    st.sampled_from(Modality),
    SPANS,
    st.sampled_from(["blended edge", "resynthesised voice", "re-drawn region"]),
    st.sampled_from([Strength.WEAK, Strength.CLEAR, Strength.STRONG]),
)
CLEAN = st.builds(
    Claim, st.sampled_from(Modality), SPANS, st.just("clean"), st.just(Strength.CLEAN)
)


@given(st.lists(MARKED | CLEAN, max_size=6))
def test_what_is_written_is_read_back(claims: list[Claim]) -> None:
    text = format_rationale(claims, "Nothing departs from a genuine recording.")
    assert parse_rationale(text, is_complete=True).claims == tuple(claims)


@given(st.text(max_size=200))
def test_any_text_is_parsed_without_an_error(text: str) -> None:
    rationale = parse_rationale(text, is_complete=False)
    assert all(c.span.start_seconds <= c.span.end_seconds for c in rationale.claims)


def test_backward_spans_and_unknown_strengths_claim_nothing() -> None:
    text = "audio 3.0-1.0 splice, strong; audio 1.0-2.0 splice, enormous; video 0.0-1.0 clean."
    claims = parse_rationale(text, is_complete=True).claims
    assert claims == (Claim(Modality.VIDEO, Span(0.0, 1.0), "clean", Strength.CLEAN),)
