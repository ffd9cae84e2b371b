"""The figures of a real arena move with what happens in it, and only in its own registry."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from arena.domain import ReplyStatus, Side
from arena.errors import LimitReached
from arena.metrics import Metrics
from arena.service import Arena
from arena.store import Store
from arena.sweeps import Sweeps
from leaderboard import Verdict
from tests.arena.test_service import MakeSettings, OpenArena, answered, arenas, settings, settle

__all__ = ["arenas", "settings"]  # the fixtures


def value(arena: Arena | Metrics, name: str, **labels: str) -> float:
    """One sample; 0 while there is none."""
    metrics = arena if isinstance(arena, Metrics) else arena.vitals.metrics
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    return 0.0


def test_a_battle_is_counted_from_prompt_to_vote(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings())

    battle_id = answered(arena)
    arena.hold(battle_id, "me", Verdict.A)
    arena.reveal_now(battle_id, "me")

    assert value(arena, "arena_battles_total") == 1
    assert value(arena, "arena_votes_total") == 1
    assert value(arena, "arena_votes_left_out_total") == 0
    for model in ("model-x", "model-y"):
        assert value(arena, "arena_replies_total", model=model, status="ok") == 1
        assert value(arena, "arena_first_token_seconds_count", model=model) == 1
        assert value(arena, "arena_answer_seconds_bucket", model=model, le="600.0") == 1
    assert value(arena, "arena_database_seconds_count", act="write") > 0
    assert value(arena, "arena_database_seconds_count", act="read") > 0
    assert value(arena, "arena_models_ready") == 2
    assert value(arena, "arena_writes_queued") == 0
    assert value(arena, "process_resident_memory_bytes") > 0


def test_votes_that_are_left_out_are_counted_by_reason(settings: MakeSettings, arenas: OpenArena) -> None:
    other = "[[models]]\nname = 'zweihorn-7b'\nprovider = 'scripted'\nscript = { text = 'I am Zweihorn-7B.' }\n"
    arena = arenas(settings(extra=other, models=1))
    battle_id = answered(arena)

    arena.hold(battle_id, "me", Verdict.B)
    arena.reveal_now(battle_id, "me")

    assert value(arena, "arena_votes_total") == 1
    assert value(arena, "arena_votes_left_out_total", reason="leaked") == 1


def test_failures_are_counted_by_model_and_class(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(script="{ text = 'half', fault = 'quota' }"))

    battle_id = arena.open_battle("me", "Hello?")
    settle(arena, battle_id)

    assert value(arena, "arena_provider_errors_total", model="model-x", fault="quota") == 1
    assert value(arena, "arena_replies_total", model="model-y", status="failed") == 1


def test_open_streams_are_those_of_the_moment(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(script="{ text = 'one two three four five six', tokens_per_second = 2 }"))
    assert value(arena, "arena_open_streams") == 0

    battle_id = arena.open_battle("me", "Hello?")

    assert value(arena, "arena_open_streams") == 2
    arena.stop(battle_id, "me")
    settle(arena, battle_id)
    assert value(arena, "arena_open_streams") == 0
    assert {side.status for side in arena.view(battle_id, "me").turns[0].sides.values()} == {ReplyStatus.STOPPED}


def test_what_guards_refuse_is_counted(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(extra="[rates]\nvoter_prompts_per_minute = 1\nnetwork_reads_per_minute = 1\n"))
    answered(arena)
    arena.admit_read("net")

    for refused in (lambda: arena.open_battle("me", "Again?"), lambda: arena.admit_read("net")):
        with pytest.raises(LimitReached):
            refused()

    assert value(arena, "arena_guard_events_total", event="prompt limit reached") == 1
    assert value(arena, "arena_guard_events_total", event="read limit reached") == 1


def test_a_sweep_is_counted(url: str) -> None:
    metrics = Metrics()
    store = Store.open(url)

    Sweeps(store, hold_above=0.9, seconds=60, metrics=metrics).sweep()
    store.close()

    assert value(metrics, "arena_chores_total", chore="sweep", outcome="done") == 1


def test_a_database_that_cannot_be_read_or_written_is_counted() -> None:
    metrics = Metrics()

    metrics.failed("read")

    assert value(metrics, "arena_database_errors_total", act="read") == 1


def test_two_arenas_of_one_process_count_apart(settings: MakeSettings, tmp_path: Path, arenas: OpenArena) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (arenas(settings(folder=tmp_path / name)) for name in ("one", "two"))

    answered(one)

    assert (value(one, "arena_battles_total"), value(two, "arena_battles_total")) == (1, 0)


def test_no_figure_holds_what_anybody_wrote(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(script="{ text = 'planted-answer' }"))

    battle_id = answered(arena, "planted-voter", "planted-prompt")

    text = arena.vitals.metrics.text().decode()
    assert "planted" not in text
    assert battle_id not in text
    assert {side.value for side in Side} & set(re.findall(r'side="(\w+)"', text)) == set()
