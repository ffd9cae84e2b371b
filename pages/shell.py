"""What every page shares: the arena, the voter, what the session remembers, and how errors and numbers are shown."""

import atexit
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import streamlit as st

from arena.errors import ArenaError
from arena.service import Arena
from arena.settings import Settings, load_settings
from safe_inline import JOINED, JOINER
from tracing import trace
from voters import VoterCookies, new_voter

_SESSION: Final = "arena_session"
_COMMAND: Final = re.compile("(`arena(?: [a-z-]+)*`)")


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The operator's settings, read once.

    Raises:
        SettingsError: something in them is wrong.
    """
    return load_settings()


@st.cache_resource(show_spinner=False, on_release=Arena.close)
def open_arena() -> Arena:
    """The one arena of this process, opened at first use; it is closed when the cache is cleared or the process ends.

    Raises:
        ArenaError: the settings or the database are not usable.
    """
    arena = Arena.open(settings())
    atexit.register(arena.close)  # embedded models are processes of their own
    return arena


@st.cache_resource(show_spinner=False)
def voter_cookies() -> VoterCookies:
    """What signs and checks the voter cookie; SettingsError when its secret cannot be had."""
    return VoterCookies(settings().cookie_secret().get_secret_value())


def the_arena() -> Arena:
    """The arena; when it cannot be opened, the page ends here with a sentence that says why."""
    trace()
    try:
        voter_cookies()
        return open_arena()
    except ArenaError as error:
        st.error(f"The arena cannot start. {plain(str(error))}", icon="🛑")
        st.stop()


@dataclass(slots=True)
class Session:
    """What one browser tab remembers between two runs of a page. `notice` is a sentence to show once."""

    voter: str = field(default_factory=new_voter)
    battle_id: str | None = None
    notice: str | None = None


def session() -> Session:
    """This tab's memory."""
    if _SESSION not in st.session_state:
        st.session_state[_SESSION] = Session()
    remembered: Session = st.session_state[_SESSION]
    return remembered


def breathe() -> None:
    """Let Streamlit end this run here if the visitor has gone, clicked or stopped; sends nothing to the browser."""
    _ = _SESSION in st.session_state


@contextmanager
def noticed() -> Iterator[None]:
    """Turn what the arena refuses into a sentence on the next run; for callbacks."""
    trace()
    try:
        yield
    except ArenaError as error:
        session().notice = str(error)


def show_notice() -> None:
    """Show the sentence that waits, once."""
    slot = st.empty()
    notice, session().notice = session().notice, None
    if notice:
        slot.warning(notice, icon="⚠️")


def style() -> None:
    """The few rules that Streamlit's own options cannot express."""
    st.html(Path(__file__).with_name("style.css"))


def footer() -> None:
    """The last line of every page."""
    st.caption(
        "Answers can be wrong: check what matters. Do not enter personal or secret data.", text_alignment="center"
    )


def plain(text: str) -> str:
    """A name or sentence as Markdown that shows it letter by letter, and an `arena …` command in backticks as code."""
    return "".join(part if _COMMAND.fullmatch(part) else _escaped(part) for part in _COMMAND.split(text))


def _escaped(text: str) -> str:
    return re.sub(r"[!-/:-@\[-`{-~]", r"\\\g<0>", JOINED.sub(rf"\g<0>{JOINER}", text))


def rating(elo: float) -> str:
    """A rating as people read it: no decimals."""
    return f"{elo:.0f}"


def signed(points: float) -> str:
    """A change with its sign (a real minus): +16, -3, ±0."""
    rounded = round(points)
    return f"+{rounded}" if rounded > 0 else f"\N{MINUS SIGN}{-rounded}" if rounded < 0 else "±0"


def percent(part: float) -> str:
    """A share of one: 72.3 %."""
    return f"{part * 100:.1f}\N{NO-BREAK SPACE}%"


def moment(at: datetime) -> str:
    """A time in UTC: 2026-11-22 00:31 UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
