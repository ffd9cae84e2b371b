"""How answers are written: counted as they are stored, read beside the games."""

from pathlib import Path

import pytest

from arena.domain import ReplyStatus, Seats, Side
from arena.language import CLASSIFIER
from arena.store.engine import reading_engine
from leaderboard.style import Style, style_of
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Desk

WRITTEN = "# Title\n\n- **one**\n- two\n\n```\n- code\n```\n"


def test_an_answer_is_counted_as_it_is_stored(desk: Desk, database: Path) -> None:
    battle_id = desk.open()

    desk.finish(battle_id, Side.B, text=WRITTEN)

    assert _rows(database, "SELECT side, length, headings, lists, bold FROM reply ORDER BY side") == [
        ("a", None, None, None, None),
        ("b", *style_of([WRITTEN])),
    ]
    assert style_of([WRITTEN]) == Style(length=11, headings=1, lists=2, bold=1)


@pytest.mark.parametrize("status", [ReplyStatus.FAILED, ReplyStatus.STOPPED, ReplyStatus.INTERRUPTED])
def test_only_a_whole_answer_is_counted(desk: Desk, database: Path, status: ReplyStatus) -> None:
    battle_id = desk.open()

    desk.finish(battle_id, Side.A, status, text=WRITTEN)

    assert _rows(database, "SELECT length FROM reply WHERE side = 'a'") == [(None,)]


def test_a_ready_battle_says_in_which_language_and_what_told_it(desk: Desk, database: Path) -> None:
    battle_id = desk.open(prompt="Warum ist der Himmel blau?")
    told = "SELECT language, classifier FROM battle"
    before = _rows(database, told)

    desk.finish(battle_id, Side.A)
    desk.finish(battle_id, Side.B)

    assert before == [("und", "")]
    assert _rows(database, told) == [("de", CLASSIFIER)]


def test_a_vote_keeps_the_language_of_its_battle(desk: Desk, database: Path) -> None:
    battle_id = desk.ready(seats=Seats("ant", "bee"), prompt="Pourquoi le ciel est-il bleu ?")

    desk.store.write.cast_vote(battle_id, "voter", Verdict.A).result()

    assert _rows(database, "SELECT language FROM vote") == [("fr",)]
    assert desk.store.read.facets().languages == ("fr",)


def _rows(database: Path, statement: str) -> list[tuple[object, ...]]:
    engine = reading_engine(database)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    return rows
