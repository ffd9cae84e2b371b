"""The pages as AppTest draws them, on a real arena with scripted models."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import shell
from arena.background import Order
from arena.domain import Fault, FinishReason, Reply, ReplyStatus, Seats, Side
from arena.errors import BeingRated
from arena.rated_board import RatedBoard
from arena.settings import load_settings
from arena.store import NewBattle, Store
from leaderboard import Verdict
from shell import open_arena

APP = Path(shell.__file__).with_name("app.py")
TWO_MODELS = """
[[models]]
name = "walnut"
provider = "scripted"
display_name = "Walnut 7B"
organisation = "Oakland Labs"
licence = "Apache-2.0"
link = "https://walnut.example/model"
context_tokens = 8192
price_in = 0.2
price_out = 0.6
script = { text = "One **answer** to: {prompt}" }

[[models]]
name = "hazel"
provider = "scripted"
display_name = "Hazel_Nut"
script = { text = "Another answer to: {prompt}" }
"""

OpenPage = Callable[..., AppTest]


@pytest.fixture
def configure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_file: Path, variables: Mapping[str, str]
) -> Iterator[Callable[[str], None]]:
    """Writes the settings that the next page reads; the arena is closed at the end."""

    def write(text: str) -> None:
        (tmp_path / "arena.toml").write_text(text, encoding="utf-8")

    monkeypatch.setenv("ARENA_CONFIG", str(tmp_path / "arena.toml"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    st.cache_resource.clear()
    write(TWO_MODELS)
    (tmp_path / "arena-data").mkdir()
    shutil.copyfile(migrated_file, tmp_path / "arena-data" / "arena.sqlite3")
    yield write
    st.cache_resource.clear()  # closes the arena


@pytest.fixture
def open_page(configure: Callable[[str], None]) -> OpenPage:  # noqa: ARG001 - the settings must be there first
    """Opens a page in a tab of its own, with `query` in its address."""

    def open_one(page: str = "battle.py", **query: str) -> AppTest:
        tab = AppTest.from_file(APP, default_timeout=30)
        if page != "battle.py":
            tab.run()  # pages are known after the first run
            tab.switch_page(page)
        tab.query_params.update(query)
        return tab.run()

    return open_one


@pytest.fixture
def cast_votes() -> Callable[..., None]:
    """Stores finished battles with their votes, before the arena opens."""

    def cast_all(votes: Sequence[tuple[Seats, Verdict]], *, days_ago: float = 0.0) -> None:
        settings = load_settings()
        at = datetime.now(UTC) - timedelta(days=days_ago)
        store = Store.open(settings.database_url, clock=lambda: at)
        store.write.sync_models(settings.specs()).result()
        for number, (seats, verdict) in enumerate(votes):
            cast(store, f"battle-{number}-{days_ago}", seats, verdict)
        store.close()

    return cast_all


def cast(store: Store, battle_id: str, seats: Seats, verdict: Verdict) -> None:
    prints = dict.fromkeys(Side, "x")
    battle = NewBattle(
        id=battle_id, conversation_id=battle_id, seats=seats, owner="them", prompt="Hello", fingerprints=prints
    )
    store.write.open_battle(battle).result()
    for side, text in zip(Side, ("Yes, **indeed**", "Yes"), strict=True):
        reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text=text, finish_reason=FinishReason.STOP)
        store.write.finish_reply(battle_id, reply).result()
    store.write.cast_vote(battle_id, "them", verdict).result()


def fail(store: Store, battle_id: str, seats: Seats) -> None:
    """A battle in which the left side failed."""
    battle = NewBattle(
        id=battle_id,
        conversation_id=battle_id,
        seats=seats,
        owner="them",
        prompt="Hello",
        fingerprints=dict.fromkeys(Side, "x"),
    )
    store.write.open_battle(battle).result()
    for side, status, fault in ((Side.A, ReplyStatus.FAILED, Fault.OVERLOADED), (Side.B, ReplyStatus.OK, None)):
        reply = Reply(turn=1, side=side, attempt=1, status=status, text="Yes", fault=fault)
        store.write.finish_reply(battle_id, reply).result()


def progress(tab: AppTest) -> str:
    return "\n".join(each.proto.text for each in tab.get("progress"))


@contextmanager
def busy_background() -> Iterator[None]:
    """Nothing else is rated in the background meanwhile."""
    background, began, go_on = open_arena()._background, Event(), Event()

    def make() -> None:
        began.set()
        assert go_on.wait(30)

    order = Order(key=object(), version=1, make=make, seconds=60.0, title="Something else")
    with pytest.raises(BeingRated):
        background.get(order)
    assert began.wait(30)
    try:
        yield
    finally:
        go_on.set()


def rated() -> RatedBoard | None:
    try:
        return open_arena().rated_board()
    except BeingRated:
        return None
