"""The leaderboard's filters as widgets; they stand in the address, so that a view can be passed on as a link."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from arena.numerals import count
from arena.selection import ARENA
from board_filters import DEFAULT, EARLIEST, FIELDS, LATEST, LONGEST, MOST_VOTES, Offer, View
from board_links import from_link, to_link
from leaderboard import METHODS
from shell import plain

_DRAWN = "view-drawn"
_CATEGORIES = {"multi_turn": "Multi-turn", "long_prompt": "Long prompt", "code": "Code", "maths": "Maths"}
_LEFT_OUT = "Also votes on answers that named their model, and votes that are held. The Elo never counts them."
_FAILED = "Battles without a vote in which one model failed, by no fault of the arena's, count as won by the other"
_HELP = {
    "multi_turn": "Battles of more than one turn",
    "long_prompt": "Battles whose prompts together have 500 tokens or more",
    "code": "Battles with a block of code in a prompt or an answer",
    "maths": "Battles with LaTeX or arithmetic in a prompt or an answer",
}
_SINCE = "In UTC, included. Elo goes on from before: it follows all votes."
_UNTIL = "A past day in UTC: the board as it stood then, by the votes that count now. Empty: today's"


def choose_view(offer: Offer) -> View:
    """Draw the filters as the address, then the visitor, set them; returns the view and puts it into the address."""
    for complaint in _adopt(offer):
        st.warning(f"{plain(complaint)} It is left out here.", icon="⚠️")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Order by", [*METHODS], key=_key("order"), format_func=_title, width=230)
        st.text_input("Search", key=_key("search"), placeholder="Model or organisation", max_chars=LONGEST, width=260)
        st.date_input(
            "Board as of the end of",
            None,
            EARLIEST,
            LATEST,
            key=_key("until"),
            format="YYYY-MM-DD",
            help=_UNTIL,
            width=190,
        )
        st.button("Clear filters", on_click=_clear, disabled=_chosen() == DEFAULT, icon="✖️")
    narrowed = len(to_link(_chosen()).keys() - {"order", "search", "until"})
    with st.expander(f"Filters · {count(narrowed, 'filter')} set" if narrowed else "Filters", key="filters"):
        _votes(offer)
        _models(offer)
    view = _chosen()
    _publish(view)
    return view


def show_today() -> None:
    """Leave the past; for callbacks."""
    st.session_state[_key("until")] = None


def _adopt(offer: Offer) -> Sequence[str]:
    """Set the widgets as the address says, unless it is the visitor who has just moved one."""
    link = {name: st.query_params.get_all(name) for name in FIELDS if name in st.query_params}
    drawn: View | None = st.session_state.get(_DRAWN)
    fresh = drawn is None or any(_key(name) not in st.session_state for name in FIELDS)
    complaints: Sequence[str] = ()
    if fresh or (link != to_link(drawn or DEFAULT) and _chosen() == drawn):
        linked = from_link(link, offer)
        complaints = linked.complaints
        _set(linked.view)
    return complaints


def _clear() -> None:
    _set(DEFAULT)


def _set(view: View) -> None:
    for name in FIELDS:
        value = getattr(view, name)
        st.session_state[_key(name)] = list(value) if isinstance(value, tuple) else value


def _chosen() -> View:
    values: dict[str, Any] = {}
    for name in FIELDS:
        value = st.session_state[_key(name)]
        values[name] = tuple(value) if isinstance(value, list) else value
    return View(**values)


def _publish(view: View) -> None:
    link = to_link(view)
    for name in FIELDS:
        if name not in link:
            st.query_params.pop(name, None)
        elif st.query_params.get_all(name) != link[name]:
            st.query_params[name] = link[name]
    st.session_state[_DRAWN] = view


def _votes(offer: Offer) -> None:
    """What decides which votes count."""
    columns = st.columns(len(_CATEGORIES) + 1)
    for (name, label), column in zip(_CATEGORIES.items(), columns, strict=False):
        column.selectbox(
            label, [True, False], index=None, key=_key(name), placeholder="all", format_func=_only, help=_HELP[name]
        )
    languages = _with_chosen(offer.languages, "language")
    columns[-1].selectbox("Language", languages, index=None, key=_key("language"), placeholder="all")
    since, ties, left_out, failed, source = st.columns([2, 2, 2, 2, 3], vertical_alignment="bottom")
    since.date_input("First day", None, EARLIEST, LATEST, key=_key("since"), format="YYYY-MM-DD", help=_SINCE)
    ties.toggle("Count ties", key=_key("ties"))
    left_out.toggle("Count votes left out", key=_key("left_out"), help=_LEFT_OUT)
    failed.toggle("A failed answer loses", key=_key("failed_loses"), help=_FAILED)
    sources = _with_chosen(offer.sources, "source")
    source.multiselect("Source", sources, key=_key("source"), placeholder=ARENA, help="Where the votes were cast")


def _models(offer: Offer) -> None:
    """What decides which lines are shown; ratings do not move."""
    organisation, licence, votes, retired = st.columns([2, 2, 1, 1], vertical_alignment="bottom")
    for name, label, column, known in (
        ("organisation", "Organisation", organisation, offer.organisations),
        ("licence", "Licence", licence, offer.licences),
    ):
        column.multiselect(label, _with_chosen(known, name), key=_key(name), placeholder="all")
    votes.number_input("Votes at least", 0, MOST_VOTES, step=10, key=_key("votes"))
    retired.toggle("Retired models", key=_key("retired"))


def _with_chosen(known: Sequence[str], name: str) -> list[str]:
    """The options, and what was chosen while there was more."""
    chosen = st.session_state[_key(name)] or []
    return [*dict.fromkeys([*known, *([chosen] if isinstance(chosen, str) else chosen)])]


def _title(method: str) -> str:
    return METHODS[method].title


def _only(wanted: bool) -> str:  # noqa: FBT001 - an option of a selectbox
    return "only" if wanted else "without"


def _key(name: str) -> str:
    return f"filter-{name}"
