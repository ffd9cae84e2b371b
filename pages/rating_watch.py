"""Ratings that take a while: what is said meanwhile, and how the page comes back by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import streamlit as st

from arena.errors import BeingRated, CannotRate
from arena.rated_board import RatedBoard
from shell import plain, the_arena

COMES_BACK = "This page shows it as soon as it is there."


class Versioned(Protocol):
    """What is rated, of the board's version `version`."""

    @property
    def version(self) -> int: ...  # noqa: D102


T = TypeVar("T", bound=Versioned)


class Watch:
    """What one run of a page, of the board's version `version`, asked for."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._asked: list[_Asked] = []

    def ask(self, rate: Callable[[], T]) -> T | None:
        """What `rate` returns; None while it is on its way, and then `follow` shows how far it is.

        Raises:
            CannotRate: as `rate`.
        """
        try:
            result = rate()
        except BeingRated:
            self._asked.append(_Asked(rate, None))
            return None
        except CannotRate as refusal:
            self._asked.append(_Asked(rate, str(refusal)))
            raise
        self._asked.append(_Asked(rate, result.version))
        return result

    def note(self, board: RatedBoard) -> None:
        """Say of which vote a board is that newer votes have overtaken."""
        if board.version < self._version:
            st.info(f"As of vote {board.as_of_vote:,}: newer votes are being counted in.", icon="⏳")

    def follow(self) -> None:
        """From now on draw the page anew as soon as the board moves, or something newer comes of what was asked."""
        _follow(self._version, [each for each in self._asked if each.came != self._version])


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, and what came: a version, the sentence of a refusal, or None while it is on its way."""

    rate: Callable[[], Versioned]
    came: int | str | None


# Asking again is also what keeps a rating on its way.
@st.fragment(run_every=1.0)
def _follow(version: int, asked: Sequence[_Asked]) -> None:
    if the_arena().board_version() != version or any(_came(each.rate) != each.came for each in asked):
        st.rerun()


def _came(rate: Callable[[], Versioned]) -> int | str | None:
    try:
        return rate().version
    except CannotRate as refusal:
        return str(refusal)
    except BeingRated as waiting:
        st.progress(waiting.share, f"⏳ {plain(str(waiting))} {COMES_BACK}")
        return None
