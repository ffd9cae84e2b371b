"""What a person sees, and what is stored, when a model fails: every fault of the table, in one arena and one tab."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import shell
from arena.domain import BattleState, Fault
from arena.service import Arena
from arena.settings import load_settings
from panes import RETRY
from tests.fault_cases import CASES, Upstreams
from tests.fault_server import BY_PROMPT, wait_until
from tests.faults import KEY
from tests.stored import stored_bytes
from words import FAULTS

APP = Path(shell.__file__).with_name("app.py")
TOLD = [name for name, case in CASES.items() if case.seen]  # what a prompt can bring about
VOTABLE = "👈 A is better"
FAILED = [name for name in TOLD if CASES[name].fault]
MODELS = """
lease_seconds = 600
breaker = {{ failures = 0 }}
rates = {{ voter_prompts_per_minute = 0 }}
# The longer these are, the longer the tests wait; a fine side that misses them changes nothing here.
limits = {{ first_token_seconds = 2, silence_seconds = 2, total_seconds = 3 }}

[[models]]
name = "planted-left"
display_name = "Planted Left"
organisation = "Planted Works"
upstream_id = "planted/left"
base_url = "{faulty}"
key_variable = "PLANTED_KEY"

[[models]]
name = "planted-right"
display_name = "Planted Right"
organisation = "Planted Works"
upstream_id = "planted/right"
base_url = "{fine}"
key_variable = "PLANTED_KEY"
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What one battle looked like: all that went to the browser, what stood and what was offered in it."""

    faults: Sequence[Fault]
    sent: str
    warnings: Sequence[str]
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Played:
    """Every battle by the prompt that made one side fail; `asked_again` counts requests after **Retry this side**."""

    pages: Mapping[str, Page]
    asked_again: Mapping[str, int]
    stored: bytes


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, shared_variables: Mapping[str, str]) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("faults")
    with Upstreams(folder) as upstreams, pytest.MonkeyPatch.context() as environ:
        urls = {"faulty": upstreams.server.url(BY_PROMPT), "fine": upstreams.server.url("ok")}
        (folder / "arena.toml").write_text(MODELS.format(**urls), encoding="utf-8")
        environ.setenv("ARENA_CONFIG", str(folder / "arena.toml"))
        environ.setenv("PLANTED_KEY", KEY)
        for variable, value in shared_variables.items():
            environ.setenv(variable, value)
        st.cache_resource.clear()
        yield play(upstreams)
        st.cache_resource.clear()  # closes the arena


def play(upstreams: Upstreams) -> Played:
    tab = AppTest.from_file(APP, default_timeout=30).run()
    arena, voter = shell.open_arena(), tab.session_state["arena_session"].voter
    battles = {name: arena.open_battle(voter, name) for name in TOLD}
    settle(arena, battles.values(), voter)
    pages = {name: draw(tab, arena, battle_id, voter) for name, battle_id in battles.items()}
    before = {name: upstreams.requests(name) for name in ("ok", *battles)}
    for name in FAILED:
        for side, reply in arena.view(battles[name], voter).turns[-1].sides.items():
            if reply.retryable:
                arena.retry(battles[name], voter, side)
    settle(arena, battles.values(), voter)
    asked_again = {name: upstreams.requests(name) - asked for name, asked in before.items()}
    stored = stored_bytes(load_settings().database_url)
    return Played(pages, asked_again, stored)


def settle(arena: Arena, battles: Collection[str], voter: str) -> None:
    wait_until(
        lambda: all(arena.view(battle_id, voter).state is not BattleState.STREAMING for battle_id in battles),
        seconds=100,
    )


def draw(tab: AppTest, arena: Arena, battle_id: str, voter: str) -> Page:
    tab.query_params["battle"] = battle_id
    tab.run()
    assert not tab.exception
    sides = arena.view(battle_id, voter).turns[-1].sides.values()
    return Page(
        faults=[side.fault for side in sides if side.fault],
        sent="\n".join(repr(getattr(node, "proto", "")) for node in tab._tree),
        warnings=[warning.value for warning in tab.warning],
        labels=[button.label for button in tab.button],
    )


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_side_is_one_plain_sentence_and_can_be_retried(played: Played, name: str) -> None:
    page = played.pages[name]

    assert page.faults
    assert page.warnings == [FAULTS[fault] for fault in page.faults]
    assert page.labels.count(RETRY) == len(page.faults)
    assert VOTABLE not in page.labels


@pytest.mark.parametrize("name", TOLD)
def test_no_page_names_a_model_a_key_or_an_address_of_an_upstream(played: Played, name: str) -> None:
    sent = played.pages[name].sent.lower()

    assert name in sent  # the prompt: so it is this battle's page
    assert "planted" not in sent
    assert "127.0.0.1" not in sent


@pytest.mark.parametrize("name", FAILED)
def test_retry_asks_the_failed_side_again_and_no_more_than_twice(played: Played, name: str) -> None:
    assert played.asked_again[name] in {1, 2}


def test_retry_does_not_ask_the_other_side(played: Played) -> None:
    fine_sides_that_were_late = sum(len(played.pages[name].faults) - 1 for name in FAILED)

    assert played.asked_again["ok"] == fine_sides_that_were_late


def test_no_key_is_stored(played: Played) -> None:
    assert b"planted-left" in played.stored
    assert KEY.encode() not in played.stored
