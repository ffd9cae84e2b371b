from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.selection import EVERYTHING
from board_filters import DEFAULT, EARLIEST, LATEST, LONGEST, MOST_VOTES, Offer, View
from board_links import from_link, to_link
from leaderboard import METHODS

OFFER = Offer(
    sources=("arena", "votes, of 2024.csv"),
    languages=("de", "en"),
    organisations=("Oak & Sons", "yes"),
    licences=("MIT", "Apache-2.0"),
)
MAYBE = st.sampled_from([None, True, False])
DAYS = st.none() | st.dates(EARLIEST, LATEST)


def some_of(options: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(options), unique=True, min_size=1).map(tuple) | st.just(())


VIEWS = st.builds(
    View,
    order=st.sampled_from([*METHODS]),
    source=some_of(OFFER.sources).filter(bool),
    multi_turn=MAYBE,
    long_prompt=MAYBE,
    code=MAYBE,
    maths=MAYBE,
    language=st.sampled_from([None, *OFFER.languages]),
    ties=st.booleans(),
    left_out=st.booleans(),
    failed_loses=st.booleans(),
    since=DAYS,
    until=DAYS,
    organisation=some_of(OFFER.organisations),
    licence=some_of(OFFER.licences),
    retired=st.booleans(),
    votes=st.integers(0, MOST_VOTES),
    search=st.text(max_size=LONGEST),
)


@given(VIEWS)
def test_every_view_comes_back_from_its_link(view: View) -> None:
    linked = from_link(to_link(view), OFFER)

    assert linked.view == view
    assert not linked.complaints


@given(
    st.dictionaries(
        st.sampled_from([*View.__dataclass_fields__, "a", "battle"]),
        st.lists(st.text() | st.sampled_from(["yes", "2024-01-01", "-1", "٣", "elo"]), min_size=1),
    )
)
def test_no_link_whatsoever_breaks_the_board(link: dict[str, list[str]]) -> None:
    linked = from_link(link, OFFER)

    assert from_link(to_link(linked.view), OFFER).view == linked.view


def test_the_default_view_needs_no_parameters() -> None:
    assert to_link(DEFAULT) == {}
    assert from_link({}, OFFER).view == DEFAULT
    assert DEFAULT.selection == EVERYTHING


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("order", ["glicko"]),
        ("order", ["elo", "davidson"]),
        ("source", ["arena", "elsewhere"]),
        ("code", ["maybe"]),
        ("language", ["xx"]),
        ("since", ["2024-02-30"]),
        ("until", ["0001-01-01"]),
        ("organisation", ["Nobody"]),
        ("licence", ["<b>"]),
        ("votes", ["-1"]),
        ("votes", ["9" * 5000]),
    ],
)
def test_a_wrong_value_is_passed_by_with_a_sentence_and_the_rest_is_kept(name: str, texts: list[str]) -> None:
    linked = from_link({name: texts, "retired": ["no"]}, OFFER)

    assert linked.view == View(retired=False)
    assert len(linked.complaints) == 1
    assert name in linked.complaints[0]
    assert len(linked.complaints[0]) < 200


def test_a_view_says_which_votes_count() -> None:
    view = View(source=("arena", "votes, of 2024.csv"), code=True, maths=False, ties=False, until=date(2026, 1, 2))

    selection = view.selection

    assert selection.sources == {"arena", "votes, of 2024.csv"}
    assert (selection.code, selection.maths, selection.multi_turn) == (True, False, None)
    assert (selection.without_ties, selection.since, selection.until) == (True, None, date(2026, 1, 2))


def test_beside_elo_stands_bradley_terry_and_another_order_brings_its_own_score() -> None:
    assert (DEFAULT.by_elo, DEFAULT.method) == (True, "bradley_terry")
    assert (View(order="davidson").by_elo, View(order="davidson").method) == (False, "davidson")
