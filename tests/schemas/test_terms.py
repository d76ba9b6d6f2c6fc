"""Terms: every word once, with its Chinese, and every word that the data itself uses."""

from typing import get_args

import pyarrow as pa

from minefusion.schemas.reference import TERM
from minefusion.schemas.site import AreaKind
from minefusion.schemas.terms import TOPICS, all_terms, as_row

WORDS = {term.term for term in all_terms()}


def test_every_term_stands_once_under_a_known_topic():
    assert len(WORDS) == len(all_terms())
    assert {term.topic for term in all_terms()} == set(TOPICS)
    for term in all_terms():
        assert any("一" <= letter <= "鿿" for letter in term.zh), term.term
        assert term.en.endswith("."), term.term


def test_words_that_stand_in_the_data_are_explained():
    verdicts = {"accepted", "partial", "rejected", "duplicate", "stale", "waiting", "unknown"}
    assert verdicts <= WORDS
    assert {"good", "suspect", "bad"} <= WORDS
    assert set(get_args(AreaKind)) <= WORDS
    assert "unplaced" in WORDS


def test_rows_fit_the_table():
    made = pa.Table.from_pylist([as_row(term) for term in all_terms()], schema=TERM.arrow_schema())
    assert made.num_rows == len(all_terms())
