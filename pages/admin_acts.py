"""How the admin page changes something: asked at the click, refused on the server, told in one sentence."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import streamlit as st

from arena.administration import Administration
from arena.roles import Action, Person
from people import acting, me
from shell import noticed, plain, the_arena

_DONE: Final = "admin_done"
PER_PAGE: Final = 25
T = TypeVar("T")

Verb = Callable[[Administration, Person], object]


def act(done: str | Callable[[Any], str], verb: Verb) -> None:
    """For callbacks: do what was clicked, as whoever this is at this moment, and say what happened.

    `done` is the sentence, or makes it of what the verb returned.
    """
    with noticed():
        result = verb(the_arena().administration, acting(Action.ADMINISTER))
        st.session_state[_DONE] = done if isinstance(done, str) else done(result)


def sign_out() -> None:
    """End every session of the administrator."""
    the_arena().people.sign_out(me())


def show_done() -> None:
    """Show what happened, once."""
    if done := st.session_state.pop(_DONE, None):
        st.success(plain(done), icon="✅")


def ask_reason(key: str) -> None:
    """A line for the reason, which the audit log keeps."""
    st.text_input("Reason, for the audit log", key=key, max_chars=500)


def said(key: str) -> Any:  # noqa: ANN401 - whatever the widget holds
    """What a widget holds at the click: a callback's own arguments are those of the run before it."""
    return st.session_state.get(key)


def page_of(found: Sequence[T], *, key: str) -> Sequence[T]:
    """The part of a long list that its page shows."""
    pages = -(-len(found) // PER_PAGE)
    number = st.pagination(pages, key=key) if pages > 1 else 1
    return found[(number - 1) * PER_PAGE : number * PER_PAGE]
