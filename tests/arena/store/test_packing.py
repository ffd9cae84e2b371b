"""Long answers lie compressed in the database, and nobody who reads them notices."""

import random
import string
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arena.backup import back_up, restore
from arena.domain import ReplyStatus, Seats, Side
from arena.errors import StoreError
from arena.store import Store
from arena.store.engine import database_of
from arena.store.packing import SHORT_BYTES, Stored, pack, unpack
from arena.transfer import check_file, export_file
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Desk
from tests.conftest import MakeDatabase

LONG = "The sky is blue because air scatters short waves more than long ones.\n" * 20
TEXTS = {
    "nothing": "",
    "short": "Because.",
    "as long as a short one may be": "x" * SHORT_BYTES,
    "one longer": "x" * (SHORT_BYTES + 1),
    "long": LONG,
    "emoji": "👩‍🚀🇫🇷 " * 200,
    "what was not readable": "\ufffd" * 300,
    "no pattern": "".join(random.Random(3).choices(string.printable, k=300)),
    "100 kB": LONG * 70,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_comes_back_as_it_was_and_takes_no_more_room(text: str) -> None:
    stored = pack(text)

    assert unpack(*stored) == text
    assert len(stored.text.encode()) + len(stored.packed or b"") <= len(text.encode())


@pytest.mark.parametrize("name", ["nothing", "short", "as long as a short one may be"])
def test_a_short_text_stays_readable(name: str) -> None:
    assert pack(TEXTS[name]) == Stored(TEXTS[name], None)


def test_a_text_that_would_grow_stays_as_it_is() -> None:
    noise = "".join(map(chr, random.Random(1).choices(range(1, 128), k=300)))

    assert len(noise.encode()) > SHORT_BYTES
    assert pack(noise) == Stored(noise, None)


@pytest.mark.parametrize("odd", ["\x00", "\ud800"])
def test_what_no_engine_can_store_is_replaced_in_long_texts_as_in_short_ones(odd: str) -> None:
    assert unpack(*pack(odd)) == "\ufffd"
    assert unpack(*pack(LONG + odd)) == LONG + "\ufffd"


@pytest.mark.parametrize("damaged", [b"", b"no zlib", zlib.compress(LONG.encode())[:-5], zlib.compress(b"\xff")])
def test_a_damaged_answer_says_what_to_do(damaged: bytes) -> None:
    with pytest.raises(StoreError, match="restore a backup"):
        unpack("", damaged)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_an_answer_is_read_as_it_was_written(desk: Desk, text: str) -> None:
    battle_id = desk.open()

    desk.finish(battle_id, Side.A, text=text)
    desk.finish(battle_id, Side.B, ReplyStatus.STOPPED, text=text)

    assert [reply.text for reply in desk.battle(battle_id).turns[0].replies.values()] == [text, text]


def test_only_long_answers_lie_packed(desk: Desk, url: str) -> None:
    battle_id = desk.open()

    desk.finish(battle_id, Side.A, text=LONG)
    desk.finish(battle_id, Side.B, text="So.")

    [(long, packed), (short, nothing)] = _rows(url, "SELECT text, packed FROM reply ORDER BY side")
    assert (long, short, nothing) == ("", "So.", None)
    assert 0 < len(packed) < len(LONG) / 5


def test_a_long_answer_tells_what_the_battle_is_about(desk: Desk, url: str) -> None:
    battle_id = desk.open()

    for side in Side:
        desk.finish(battle_id, side, text=f"```python\n{LONG}\n```")

    assert _rows(url, "SELECT code FROM battle") == [(1,)]


def test_removed_answers_are_gone_in_either_form(desk: Desk, store: Store, url: str) -> None:
    _vote(desk)

    store.write.remove_texts(["battle-1"]).result(DEADLINE_SECONDS)

    assert _rows(url, "SELECT text, packed FROM reply") == [("", None)] * 2


def test_an_export_has_the_words(desk: Desk, store: Store, tmp_path: Path) -> None:
    _vote(desk)
    file = tmp_path / "votes.json"

    export_file(store, file, format_name="lmarena_140k")

    assert LONG.splitlines()[0] in file.read_text(encoding="utf-8")
    assert check_file(file).votes == 1


def test_a_backup_has_them_too(desk: Desk, url: str, tmp_path: Path, make_database: MakeDatabase) -> None:
    _vote(desk)
    before, elsewhere = desk.battle("battle-1"), make_database(blank=True)
    back_up(url, tmp_path / "arena.backup")

    restore(elsewhere, tmp_path / "arena.backup")

    with closing(Store.open(elsewhere)) as restored:
        assert restored.read.battle("battle-1") == before


def _vote(desk: Desk) -> None:
    battle_id = desk.open(seats=Seats("ant", "bee"))
    desk.finish(battle_id, Side.A, text=LONG)
    desk.finish(battle_id, Side.B, text="So.")
    desk.store.write.cast_vote(battle_id, "voter", Verdict.A).result(DEADLINE_SECONDS)


def _rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    engine = database_of(url).reading_engine()
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    return rows
