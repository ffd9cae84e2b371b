from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import Protocol

import pytest
from fault_server import wait_until
from sqlalchemy import Connection

from arena.domain import BattleState, ReplyStatus, Side
from arena.errors import AlreadyVoted, NotEnoughModels, NotRetryable, NotVotable, PromptRefused, UnknownBattle
from arena.foreign import Conversation
from arena.service import Arena
from arena.settings import Settings, load_settings
from arena.store import Store
from arena.store.queue import Job
from leaderboard import Verdict
from tests.arena.store.imported import load, vote

TALKATIVE = "{ text = 'one two three four five six', tokens_per_second = 2 }"


class MakeSettings(Protocol):
    def __call__(self, *, script: str = ..., extra: str = ..., models: int = ..., folder: Path = ...) -> Settings: ...


@pytest.fixture
def settings(tmp_path: Path, variables: Mapping[str, str]) -> MakeSettings:
    """Writes the file of an arena, which lies on a database of the engine at hand."""

    def write(
        *, script: str = "{ text = 'an answer' }", extra: str = "", models: int = 2, folder: Path = tmp_path
    ) -> Settings:
        path = folder / "arena.toml"
        path.write_text(
            f"seed = 1\nlease_seconds = 2\n{extra}\n"
            + "".join(
                f"[[models]]\nname = 'model-{name}'\nprovider = 'scripted'\nscript = {script}\n"
                for name in "xyz"[:models]
            )
        )
        return load_settings(config=path, environ=variables)

    return write


@pytest.fixture
def arenas(variables: Mapping[str, str]) -> Iterator[Callable[[Settings], Arena]]:
    opened: list[Arena] = []

    def open_arena(chosen: Settings) -> Arena:
        opened.append(Arena.open(chosen, environ=variables))
        return opened[-1]

    yield open_arena
    for arena in opened:
        arena.close()


OpenArena = Callable[[Settings], Arena]


def answered(arena: Arena, voter: str = "me", prompt: str = "Hello?") -> str:
    battle_id = arena.open_battle(voter, prompt)
    settle(arena, battle_id, voter)
    return battle_id


def settle(arena: Arena, battle_id: str, voter: str = "me") -> None:
    def settled() -> bool:
        live = arena.live(battle_id, voter)
        if live is not None:
            live.touch()
        return arena.view(battle_id, voter).state is not BattleState.STREAMING

    wait_until(settled)


@pytest.mark.both_engines
def test_a_battle_goes_from_prompt_to_reveal_and_moves_the_board(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings())
    before = arena.board_version()
    battle_id = answered(arena)

    arena.hold(battle_id, "me", Verdict.A)
    arena.reveal_now(battle_id, "me")

    view = arena.view(battle_id, "me")
    assert view.state is BattleState.VOTED
    assert view.reveal is not None
    assert view.reveal.verdict is Verdict.A
    assert {model.name for model in view.reveal.models.values()} == {"model-x", "model-y"}
    winner, loser = (view.reveal.models[side].elo for side in Side)
    assert winner is not None
    assert loser is not None
    assert (winner.before, winner.after, loser.after) == (1000.0, 1016.0, 984.0)
    assert arena.board_version() > before
    assert [standing.elo for standing in arena.board().standings] == [1016.0, 984.0]


def test_before_the_vote_a_view_names_no_model(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings())

    view = arena.view(answered(arena), "me")

    assert view.state is BattleState.READY
    assert view.reveal is None
    assert "model" not in repr(view).lower()


def test_the_hold_becomes_a_vote_by_itself(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(extra="hold_seconds = 0.1"))
    battle_id = answered(arena)

    arena.hold(battle_id, "me", Verdict.TIE)

    wait_until(lambda: arena.view(battle_id, "me").reveal is not None)


def test_an_undone_choice_leaves_the_battle_open(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(extra="hold_seconds = 60"))
    battle_id = answered(arena)
    arena.hold(battle_id, "me", Verdict.TIE)

    undone = arena.undo(battle_id, "me")

    view = arena.view(battle_id, "me")
    assert undone
    assert (view.state, view.held, view.reveal) == (BattleState.READY, None, None)


def test_a_held_choice_is_seen_with_its_seconds(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(extra="hold_seconds = 60"))
    battle_id = answered(arena)

    arena.hold(battle_id, "me", Verdict.BOTH_BAD)

    held = arena.view(battle_id, "me").held
    assert held is not None
    assert held.verdict is Verdict.BOTH_BAD
    assert 0 < held.seconds_left <= 60


@pytest.mark.both_engines
def test_two_tabs_and_a_replayed_click_make_one_vote(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(extra="hold_seconds = 60"))
    battle_id = answered(arena)
    barrier = Barrier(8)

    def click(verdict: Verdict) -> None:
        barrier.wait(timeout=30)
        try:
            arena.hold(battle_id, "me", verdict)
            arena.reveal_now(battle_id, "me")
        except AlreadyVoted:
            pass

    tabs = [Thread(target=click, args=(verdict,)) for verdict in (*Verdict, *Verdict)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(timeout=30)

    assert arena.board().votes == 1
    with pytest.raises(AlreadyVoted):
        arena.hold(battle_id, "me", Verdict.A)


def test_reveal_now_without_a_choice_is_refused_and_after_the_vote_changes_nothing(
    settings: MakeSettings, arenas: OpenArena
) -> None:
    arena = arenas(settings())
    battle_id = answered(arena)

    with pytest.raises(NotVotable, match="vote first"):
        arena.reveal_now(battle_id, "me")

    arena.hold(battle_id, "me", Verdict.B)
    arena.reveal_now(battle_id, "me")
    arena.reveal_now(battle_id, "me")
    assert arena.board().votes == 1


def test_a_streaming_battle_cannot_be_voted_on(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(script=TALKATIVE))
    battle_id = arena.open_battle("me", "Hello?")

    with pytest.raises(NotVotable, match="finished"):
        arena.hold(battle_id, "me", Verdict.A)


@pytest.mark.parametrize("verb", ["view", "live", "stop", "undo", "hold", "retry", "write_on", "reveal_now"])
def test_a_battle_does_not_exist_for_anybody_but_its_voter(
    verb: str, settings: MakeSettings, arenas: OpenArena
) -> None:
    arena = arenas(settings(extra="hold_seconds = 60"))
    battle_id = answered(arena)
    arguments = {"hold": (Verdict.A,), "retry": (Side.A,), "write_on": ("more",)}.get(verb, ())

    if verb == "undo":
        arena.hold(battle_id, "me", Verdict.A)
        assert not arena.undo(battle_id, "somebody else")
        return
    with pytest.raises(UnknownBattle, match="no such battle"):
        getattr(arena, verb)(battle_id, "somebody else", *arguments)


def test_stop_ends_both_sides_and_keeps_what_came(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(script=TALKATIVE))
    battle_id = arena.open_battle("me", "Hello?")
    live = arena.live(battle_id, "me")
    assert live is not None
    wait_until(lambda: all(side.text for side in live.sides.values()))

    arena.stop(battle_id, "me")

    wait_until(lambda: arena.view(battle_id, "me").state is BattleState.STUCK)
    sides = arena.view(battle_id, "me").turns[0].sides
    assert all(side.status is ReplyStatus.STOPPED and side.retryable and side.text for side in sides.values())


def test_retry_asks_only_the_failed_side_again(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(script="{ text = 'fine', fault = 'overloaded', fault_after_tokens = 1, fault_times = 1 }"))
    battle_id = answered(arena)
    assert arena.view(battle_id, "me").state is BattleState.STUCK

    arena.retry(battle_id, "me", Side.A)
    wait_until(lambda: arena.view(battle_id, "me").turns[0].sides[Side.A].status is ReplyStatus.OK)

    assert arena.view(battle_id, "me").turns[0].sides[Side.B].status is ReplyStatus.FAILED
    arena.retry(battle_id, "me", Side.B)
    settle(arena, battle_id)
    assert arena.view(battle_id, "me").state is BattleState.READY


def test_a_finished_side_is_not_asked_again(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings())
    battle_id = answered(arena)

    with pytest.raises(NotRetryable):
        arena.retry(battle_id, "me", Side.A)


def test_one_may_write_on_before_voting_and_each_model_sees_its_own_answers(
    settings: MakeSettings, arenas: OpenArena
) -> None:
    arena = arenas(settings(script="{ text = ['first', 'second'] }"))
    battle_id = answered(arena)

    arena.write_on(battle_id, "me", "And then?")
    settle(arena, battle_id)

    view = arena.view(battle_id, "me")
    assert [turn.prompt for turn in view.turns] == ["Hello?", "And then?"]
    assert [turn.sides[Side.B].text for turn in view.turns] == ["first", "second"]
    assert view.state is BattleState.READY


def test_nothing_is_written_on_while_a_choice_is_held(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(extra="hold_seconds = 60"))
    battle_id = answered(arena)
    arena.hold(battle_id, "me", Verdict.A)

    with pytest.raises(NotVotable, match="undo"):
        arena.write_on(battle_id, "me", "And then?")


def test_a_battle_has_a_last_turn(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(extra="max_turns = 1"))
    battle_id = answered(arena)

    with pytest.raises(PromptRefused, match="at most 1 turn:"):
        arena.write_on(battle_id, "me", "And then?")


@pytest.mark.parametrize(("prompt", "sentence"), [("  \n", "blank"), ("x" * 11, "shorten it to 10")])
def test_a_prompt_that_cannot_be_sent_is_refused_with_the_remedy(
    prompt: str, sentence: str, settings: MakeSettings, arenas: OpenArena
) -> None:
    arena = arenas(settings(extra="max_prompt_characters = 10"))

    with pytest.raises(PromptRefused, match=sentence):
        arena.open_battle("me", prompt)


def test_one_model_alone_cannot_fight(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings(models=1))

    with pytest.raises(NotEnoughModels):
        arena.open_battle("me", "Hello?")


def test_a_battle_that_nobody_watches_is_interrupted_and_can_be_retried(
    settings: MakeSettings, arenas: OpenArena
) -> None:
    arena = arenas(settings(script=TALKATIVE.replace("= 2", "= 0.2")))

    battle_id = arena.open_battle("me", "Hello?")

    wait_until(lambda: arena.view(battle_id, "me").state is BattleState.STUCK)
    assert arena.view(battle_id, "me").turns[0].sides[Side.A].status is ReplyStatus.INTERRUPTED


def test_a_battle_is_back_where_it_stood_after_a_restart(settings: MakeSettings, arenas: OpenArena) -> None:
    chosen = settings()
    first = arenas(chosen)
    battle_id = answered(first)
    before = first.view(battle_id, "me")
    first.close()

    second = arenas(chosen)

    assert second.view(battle_id, "me") == before


def test_a_choice_that_is_held_at_a_shutdown_is_not_lost(settings: MakeSettings, arenas: OpenArena) -> None:
    chosen = settings(extra="hold_seconds = 60")
    first = arenas(chosen)
    battle_id = answered(first)
    first.hold(battle_id, "me", Verdict.A)

    first.close()

    reveal = arenas(chosen).view(battle_id, "me").reveal
    assert reveal is not None
    assert reveal.verdict is Verdict.A


def test_a_model_added_to_the_file_joins_and_one_that_leaves_is_retired(
    settings: MakeSettings, arenas: OpenArena
) -> None:
    arena = arenas(settings(models=3))
    battle_id = answered(arena)

    settings(models=2)
    wait_until(lambda: len(arena.catalogue().entries) == 2)

    wait_until(lambda: arena.board().specs["model-z"].state == "retired")
    arena.hold(battle_id, "me", Verdict.TIE)
    arena.reveal_now(battle_id, "me")
    assert arena.board().votes == 1


def test_a_broken_file_changes_nothing_and_is_said_to_the_operator(
    settings: MakeSettings, tmp_path: Path, arenas: OpenArena
) -> None:
    arena = arenas(settings())

    (tmp_path / "arena.toml").write_text("models = 3")

    wait_until(lambda: arena.catalogue().complaint is not None)
    assert "arena.toml was not read again" in str(arena.catalogue().complaint)
    assert len(arena.catalogue().entries) == 2


def test_a_model_whose_key_is_missing_fails_without_saying_which(
    tmp_path: Path, variables: Mapping[str, str], arenas: OpenArena
) -> None:
    path = tmp_path / "arena.toml"
    path.write_text(
        "".join(
            f"[[models]]\nname = '{name}'\nprovider = 'openai_chat'\nupstream_id = 'm'\n"
            f"base_url = 'http://127.0.0.1:9/v1'\nkey_variable = 'THE_KEY_{name}'\n"
            for name in "XY"
        )
    )
    arena = arenas(load_settings(config=path, environ=variables))

    view = arena.view(answered(arena), "me")

    assert view.state is BattleState.STUCK
    assert view.turns[0].sides[Side.A].fault == "refused_key"
    assert "THE_KEY" not in repr(view)


def test_the_prediction_follows_the_board(settings: MakeSettings, arenas: OpenArena) -> None:
    arena = arenas(settings())
    battle_id = answered(arena)
    arena.hold(battle_id, "me", Verdict.A)
    arena.reveal_now(battle_id, "me")
    winner, loser = (standing.model for standing in arena.board().standings)

    prediction = arena.prediction(winner, loser)

    # E = 1 / (1 + 10 ** (-32 / 400)) = 0.5459
    assert prediction.probability == pytest.approx(0.5459, abs=5e-5)
    assert prediction.record is not None
    assert prediction.record.wins_a == 1


# What older versions and imports left untold


def test_languages_of_imported_conversations_are_told_in_the_background(
    settings: MakeSettings, arenas: OpenArena
) -> None:
    chosen = settings()
    said = Conversation(("Bitte erkläre mir, wie ein Kühlschrank funktioniert.",), ("So.",), ("Kalt.",))
    with closing(Store.open(chosen.database_url)) as store:
        load(store, [vote(conversation=said)] * 100)

    arena = arenas(chosen)

    wait_until(lambda: arena.facets().languages == ("de",))
    battle_id = answered(arena)
    arena.hold(battle_id, "me", Verdict.A)
    arena.reveal_now(battle_id, "me")
    arena.close()
    with closing(Store.open_to_read(chosen.database_url)) as store:
        assert store.read.verify().votes == 1


def test_an_arena_closes_while_it_reads_old_texts(settings: MakeSettings, arenas: OpenArena) -> None:
    chosen = settings()
    said = Conversation(("Bitte erkläre mir, wie ein Kühlschrank funktioniert.",), ("So.",), ("Kalt.",))
    with closing(Store.open(chosen.database_url)) as store:
        load(store, [vote(conversation=said)] * 20_000)
    arena = arenas(chosen)
    wait_until(lambda: arena.facets().languages == ("de",))

    arena.close()

    with closing(Store.open_to_read(chosen.database_url)) as store:
        left = [source.classifier for source in store.read.sources()]
        assert left == [None], "it did not wait for the end"
        assert store.read.verify().sources == 1


def test_an_arena_runs_on_when_old_texts_cannot_be_read(
    settings: MakeSettings, arenas: OpenArena, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = settings()
    with closing(Store.open(chosen.database_url)) as store:
        load(store, [vote(conversation=Conversation(("Why?",), ("A",), ("B",)))])
        store.write._queue.submit(Job(run=damage)).result()

    arena = arenas(chosen)

    wait_until(lambda: "could not be told" in caplog.text)
    assert answered(arena)


def damage(connection: Connection, _now: datetime) -> None:
    connection.exec_driver_sql("UPDATE foreign_text SET prompts = 'no JSON'")
