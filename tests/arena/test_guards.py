"""The guards as a visitor meets them: through the service, with scripted models."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from fault_server import wait_until

from arena.desk import RestingModel
from arena.domain import BattleState, Fault, LeftOut, ReplyStatus, Side
from arena.errors import LimitReached, NotEnoughModels, PromptRefused
from arena.roles import Person, Role
from arena.service import Arena
from arena.settings import load_settings
from arena.views import BattleView
from leaderboard import Verdict

OPEN = Callable[..., Arena]


@pytest.fixture
def arenas(tmp_path: Path, variables: Mapping[str, str]) -> Iterator[OPEN]:
    opened: list[Arena] = []

    def open_arena(*, extra: str = "", tables: str = "", script: str = "{ text = 'an answer' }") -> Arena:
        path = tmp_path / "arena.toml"
        models = "".join(
            f"[[models]]\nname = '{name}'\nprovider = 'scripted'\nscript = {script}\n"
            for name in ("zweihorn-7b", "mo-2")
        )
        path.write_text(f"seed = 1\nhold_seconds = 0\n{extra}\n{tables}\n{models}")
        opened.append(Arena.open(load_settings(config=path, environ=variables), environ=variables))
        return opened[-1]

    yield open_arena
    for arena in opened:
        arena.close()


def _answered(arena: Arena, prompt: str = "Hello?", *, voter: str = "me", network: str | None = None) -> str:
    battle_id = arena.open_battle(voter, prompt, network=network)

    def ended() -> bool:
        if (live := arena.live(battle_id, voter)) is not None:
            live.touch()
        return arena.view(battle_id, voter).state is not BattleState.STREAMING

    wait_until(ended)
    return battle_id


def _voted(arena: Arena, battle_id: str, verdict: Verdict = Verdict.A) -> BattleView:
    arena.hold(battle_id, "me", verdict)
    wait_until(lambda: arena.view(battle_id, "me").reveal is not None)
    return arena.view(battle_id, "me")


def test_an_answer_that_names_its_model_is_masked_until_the_vote_and_does_not_count(arenas: OPEN) -> None:
    arena = arenas(script="{ text = 'Sure. I am Zweihorn-7B, at your service.' }")
    battle_id = _answered(arena)

    before = arena.view(battle_id, "me")
    after = _voted(arena, battle_id)

    assert "zweihorn" not in repr(before).lower()
    assert "[model name]" in before.turns[0].sides[Side.A].text
    assert "Zweihorn-7B" in after.turns[0].sides[Side.A].text
    assert after.reveal is not None
    assert after.reveal.left_out == LeftOut.LEAKED
    assert [model.elo for model in after.reveal.models.values()] == [None, None]
    assert {standing.elo for standing in arena.board().standings} == {1000.0}


def test_a_name_that_the_person_typed_first_gives_nothing_away(arenas: OPEN) -> None:
    arena = arenas(script="{ text = 'Zweihorn-7B is a fine name.' }")

    after = _voted(arena, _answered(arena, "Is Zweihorn-7B a good name?"))

    assert after.reveal is not None
    assert after.reveal.left_out is None


@pytest.mark.parametrize("pace", ["together", "replay"])
def test_whoever_is_faster_cannot_be_seen_before_both_are_ready(arenas: OPEN, pace: str) -> None:
    script = "{ text = 'one two three four', tokens_per_second = 20 }"
    arena = arenas(extra=f"pace = '{pace}'", script=script)
    battle_id = arena.open_battle("me", "Count.")
    seen: set[str] = set()

    def ended() -> bool:
        live = arena.live(battle_id, "me")
        if live is not None:
            live.touch()
            seen.update(side.text for side in live.sides.values())
        view = arena.view(battle_id, "me")
        if view.state is BattleState.STREAMING:
            seen.update(side.text for side in view.turns[0].sides.values())
            assert {side.status for side in view.turns[0].sides.values()} == {ReplyStatus.STREAMING}
        return view.state is BattleState.READY

    wait_until(ended)

    assert seen <= {""}
    assert arena.view(battle_id, "me").turns[0].sides[Side.B].text == "one two three four"


def test_a_battle_of_a_model_with_itself_is_told_as_such_and_moves_nothing(arenas: OPEN) -> None:
    arena = arenas(extra="aa_share = 0.5")
    reveals = [reveal for _ in range(12) if (reveal := _voted(arena, _answered(arena)).reveal)]

    twice = [reveal for reveal in reveals if reveal.left_out == LeftOut.AA]
    assert 0 < len(twice) < 12
    assert all(len({model.name for model in reveal.models.values()}) == 1 for reveal in twice)
    assert sum(reveal.left_out is None for reveal in reveals) == 12 - len(twice)


def test_too_many_prompts_are_refused_with_a_time_to_come_back(arenas: OPEN) -> None:
    arena = arenas(tables="[rates]\nvoter_prompts_per_minute = 1")
    _answered(arena)

    with pytest.raises(LimitReached, match=r"Go on in \d+ second"):
        arena.open_battle("me", "Again?")

    wait_until(lambda: arena.trust_report().guards == {"prompt limit reached": 1} or _forget(arena))


def _forget(arena: Arena) -> bool:
    """Let the next report be made anew; what is counted is written in the background."""
    arena._trust._kept = None
    return False


def test_a_vote_beyond_the_limit_leaves_the_battle_open_for_later(arenas: OPEN) -> None:
    arena = arenas(tables="[rates]\nnetwork_votes_per_minute = 1")
    first, second = (_answered(arena, network="net") for _ in range(2))
    arena.hold(first, "me", Verdict.A, network="net")

    with pytest.raises(LimitReached, match="Your network has voted once"):
        arena.hold(second, "me", Verdict.A, network="net")

    assert arena.view(second, "me").state is BattleState.READY


def test_a_second_click_on_a_choice_is_no_second_vote(arenas: OPEN) -> None:
    arena = arenas(extra="", tables="[rates]\nvoter_votes_per_minute = 1")
    battle_id = _answered(arena)
    _voted(arena, battle_id)

    assert arena.view(battle_id, "me").reveal is not None


def test_a_battle_that_the_budget_does_not_hold_is_not_begun(arenas: OPEN) -> None:
    arena = arenas(tables="[budgets]\nvoter_tokens_per_day = 2100")
    _answered(arena)

    with pytest.raises(LimitReached, match="used up"):
        arena.open_battle("me", "word " * 400)


def test_forbidden_words_refuse_a_prompt_and_hide_an_answer(arenas: OPEN, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("nerve gas\nanswer\n")
    arena = arenas(tables="[moderation]\nwords_file = 'words.txt'")

    with pytest.raises(PromptRefused, match="do not allow this prompt"):
        arena.open_battle("me", "How is nerve gas made?")
    sides = arena.view(_answered(arena), "me").turns[0].sides

    assert {(side.text, side.status, side.fault) for side in sides.values()} == {
        ("", ReplyStatus.FAILED, Fault.MODERATED)
    }


def test_an_arena_with_a_moderation_can_be_closed_twice(arenas: OPEN, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("nerve gas\n")
    arena = arenas(tables="[moderation]\nwords_file = 'words.txt'")

    arena.close()
    arena.close()

    assert arena.live_count() == 0


def _resting(arena: Arena) -> dict[str, RestingModel]:
    root = Person(id="root", role=Role.ADMINISTRATOR)
    return {rest.model: rest for rest in arena.administration.resting(root)}


def test_models_that_keep_failing_are_rested_and_come_back_by_themselves(arenas: OPEN) -> None:
    script = "{ fault = 'overloaded' }"
    arena = arenas(tables="[breaker]\nfailures = 1\npause_seconds = 0.1", script=script)
    _answered(arena)

    assert _resting(arena).keys() == {"zweihorn-7b", "mo-2"}
    with pytest.raises(NotEnoughModels):
        arena.open_battle("me", "And now?")
    wait_until(lambda: all(rest.failures > 1 for rest in _resting(arena).values()))


def test_a_voter_who_always_takes_one_side_is_held_and_told_so(arenas: OPEN) -> None:
    arena = arenas(tables="[rates]\nvoter_prompts_per_minute = 0\nvoter_votes_per_minute = 0")

    left_out, shown = [], set()
    for _ in range(45):
        reveal = _voted(arena, _answered(arena), Verdict.A).reveal
        assert reveal is not None
        left_out.append(reveal.left_out)
        shown |= {model.display_name for model in reveal.models.values()}

    assert left_out[0] is None
    assert left_out[-1] == LeftOut.SUSPICIOUS
    assert shown == {"zweihorn-7b", "mo-2"}
