"""What senders say of their files, in forms and tables."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moderation.intake.declaring import COLUMNS, REFERENCES_MAX, Declaration, read_references
from moderation.intake.errors import SubmissionError
from moderation.intake.types import NewItem, Source, Views

DIGEST = "a" * 64


def test_what_is_blank_is_left_to_the_defaults() -> None:
    assert Declaration.of({"name": " ", "surface": "", "reach": ""}) == Declaration()


def test_every_field_reaches_the_item() -> None:
    told = {
        "name": "clip.mp4",
        "surface": "profile",
        "reported_clause": "deceptive",
        "reach": "30",
        "remaining_views": "20.5",
        "views_an_hour": "1e3",
        "url": "https://media.example.org/clip.mp4",
    }
    assert set(told) == set(COLUMNS)
    found = Declaration.of(told)
    assert found.url == told["url"]
    assert found.new_item(DIGEST, 7, "sue", Source.REFERENCE) == NewItem(
        sha256=DIGEST,
        size_bytes=7,
        surface="profile",
        declared_name="clip.mp4",
        uploader="sue",
        source=Source.REFERENCE,
        views=Views(30.0, 20.5, 1000.0),
        reported_clause="deceptive",
    )


def test_a_bad_row_is_named_by_its_number() -> None:
    with pytest.raises(SubmissionError, match="row 2: 'much' for reach"):
        read_references("url,reach\nhttps://a.example/1,1\nhttps://a.example/2,much\n")


def test_a_table_is_bounded() -> None:
    row = "https://a.example/1\n"
    assert len(read_references("url\n" + row * REFERENCES_MAX)) == REFERENCES_MAX
    with pytest.raises(SubmissionError, match="51 rows"):
        read_references("url\n" + row * (REFERENCES_MAX + 1))


@given(st.text(max_size=300))
@example(" ")
def test_any_text_is_a_table_or_refused(text: str) -> None:
    for start in ("", "url\n", "url,name,reach\n"):
        try:
            found = read_references(start + text)
        except SubmissionError:
            continue
        assert all(one.url for one in found)


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=40)))
def test_any_fields_make_an_item_or_are_refused(told: dict[str, str]) -> None:
    try:
        found = Declaration.of(told)
    except SubmissionError:
        return
    assert found.new_item(DIGEST, 1, "sue").sha256 == DIGEST
