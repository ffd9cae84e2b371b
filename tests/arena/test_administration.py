"""What administrators do, through the arena's own door; and that nobody else does."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from fault_server import wait_until

from arena.administration import Administration
from arena.catalogue import Roster
from arena.domain import ModelState, Side
from arena.errors import DecisionRefused, NotAllowed, NotEnoughModels, UnknownModel
from arena.roles import Person, Role
from arena.service import Arena
from arena.settings import Settings, load_settings
from arena.store import AS_IN_FILE, ModelSetting, Store
from arena.store.contestants import CATALOGUE
from leaderboard import Verdict

ROOT = Person(id="root", role=Role.ADMINISTRATOR, is_known=True)
VERBS = sorted(name for name, verb in inspect.getmembers(Administration, callable) if not name.startswith("_"))
HEAD = "seed = 1\nrates = { voter_prompts_per_minute = 0 }\n"
MODEL = "[[models]]\nname = 'model-{}'\nprovider = 'scripted'\nscript = {{ text = 'an answer' }}\n"


class MakeSettings(Protocol):
    def __call__(self, *, extra: str = "", models: str = "xyz") -> Settings: ...


def settings_in(folder: Path, variables: Mapping[str, str], *, extra: str = "", models: str = "xyz") -> Settings:
    path = folder / "arena.toml"
    path.write_text(
        f"seed = 1\nrates = {{ voter_prompts_per_minute = 0 }}\n{extra}\n"
        + "".join(MODEL.format(name) for name in models)
    )
    return load_settings(config=path, environ=variables)


@pytest.fixture
def settings(tmp_path: Path, variables: Mapping[str, str]) -> MakeSettings:
    return partial(settings_in, tmp_path, variables)


@contextmanager
def opened(chosen: Settings) -> Iterator[Arena]:
    arena = Arena.open(chosen, environ={})
    try:
        yield arena
    finally:
        arena.close()


@pytest.fixture
def arena(settings: MakeSettings) -> Iterator[Arena]:
    with opened(settings()) as arena:
        yield arena


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, shared_variables: Mapping[str, str]) -> Iterator[Arena]:
    """For tests that change nothing."""
    with opened(settings_in(tmp_path_factory.mktemp("arena"), shared_variables)) as arena:
        yield arena


def drawn(arena: Arena, *, battles: int = 12) -> set[str]:
    """Who sits in the next battles; from the store, since no view tells before the vote."""
    ids = [arena.open_battle("me", "Hello?") for _ in range(battles)]
    seats = [battle.seats for battle_id in ids if (battle := arena._store.read.battle(battle_id))]
    return {seat for each in seats for seat in (each.a, each.b)}


def decide(arena: Arena, name: str, **setting: object) -> None:
    arena.administration.set_model(ROOT, name, ModelSetting(**setting))  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
@pytest.mark.parametrize("is_known", [False, True])
def test_every_verb_refuses_everybody_else_before_it_looks_at_anything(
    untouched: Arena, verb: str, role: Role, is_known: bool
) -> None:
    with pytest.raises(NotAllowed):
        getattr(untouched.administration, verb)(Person(id="x", role=role, is_known=is_known))

    assert {entry.actor for entry in untouched._store.read.audit()} == {CATALOGUE}


def test_the_table_of_verbs_is_whole() -> None:
    assert {"set_model", "test_model", "change_k", "exclude", "trust", "audit", "verify"} <= set(VERBS)


def test_a_disabled_model_is_not_drawn_from_the_next_battle_on(arena: Arena) -> None:
    decide(arena, "model-x", state=ModelState.DISABLED)

    assert drawn(arena) == {"model-y", "model-z"}
    decide(arena, "model-x", state=None)
    assert drawn(arena, battles=40) == {"model-x", "model-y", "model-z"}


def test_what_is_as_in_the_file_goes_on_following_it(arena: Arena) -> None:
    decide(arena, "model-x", state=ModelState.ENABLED, weight=2.0)

    [managed] = [each for each in arena.administration.models(ROOT) if each.spec.name == "model-x"]
    assert managed.decided == ModelSetting(weight=2.0)


def test_a_model_without_weight_is_not_drawn(arena: Arena) -> None:
    decide(arena, "model-y", weight=0.0)

    assert drawn(arena) == {"model-x", "model-z"}


def test_a_retired_model_keeps_its_place_on_the_board_marked_as_such(arena: Arena) -> None:
    decide(arena, "model-z", state=ModelState.RETIRED)

    assert arena.board().specs["model-z"].state is ModelState.RETIRED
    assert {entry.name: entry.state for entry in arena.catalogue().entries}["model-z"] is ModelState.RETIRED


def test_too_few_enabled_models_are_said_so(arena: Arena) -> None:
    for name in "xy":
        decide(arena, f"model-{name}", state=ModelState.DISABLED)

    with pytest.raises(NotEnoughModels):
        arena.open_battle("me", "Hello?")


def test_what_was_decided_outlives_a_restart_and_a_changed_file(settings: MakeSettings) -> None:
    with opened(settings()) as arena:
        decide(arena, "model-x", state=ModelState.DISABLED)
        settings(models="xyzw")
        wait_until(lambda: len(arena.catalogue().entries) == 4)
        assert "model-x" not in drawn(arena, battles=20)

    with opened(settings()) as arena:
        assert "model-x" not in drawn(arena)
        [managed] = [each for each in arena.administration.models(ROOT) if each.spec.name == "model-x"]
        assert (managed.spec.state, managed.in_file.state) == (ModelState.DISABLED, ModelState.ENABLED)
        assert managed.decided == ModelSetting(state=ModelState.DISABLED)
        assert not managed.is_ready


def test_another_process_notices_within_its_next_round(settings: MakeSettings, arena: Arena) -> None:
    """Two rosters on one database, as in two replicas; the second looks as its housekeeper does each second."""
    with closing(Store.open_to_read(arena._settings.database_url)) as reader:
        other = Roster(settings(), environ={})
        other.refresh(reader.read.admin.model_settings())

        decide(arena, "model-x", state=ModelState.DISABLED, weight=3.0)

        assert other.refresh(reader.read.admin.model_settings())
        assert "model-x" not in {spec.name for spec in other.ready()}
        assert other.spec("model-x").weight == 3.0


def test_the_housekeeper_brings_in_what_others_decided(arena: Arena) -> None:
    decided = arena._store.write.admin.set_model("model-x", ModelSetting(state=ModelState.DISABLED), actor="elsewhere")
    decided.result(30)

    wait_until(lambda: arena._roster.spec("model-x").state is ModelState.DISABLED)


@pytest.mark.parametrize("weight", [-1.0, 1_001.0, float("nan"), float("inf")])
def test_a_weight_out_of_bounds_is_refused(untouched: Arena, weight: float) -> None:
    with pytest.raises(DecisionRefused, match="between 0 and 1,000"):
        decide(untouched, "model-x", weight=weight)


def test_an_unknown_model_is_refused(untouched: Arena) -> None:
    with pytest.raises(UnknownModel, match="'gnu'"):
        decide(untouched, "gnu", weight=1.0)
    with pytest.raises(UnknownModel, match="'gnu'"):
        untouched.administration.test_model(ROOT, "gnu")


def test_a_model_is_asked_now_even_while_it_is_disabled(settings: MakeSettings) -> None:
    with opened(settings(models="xy")) as arena:
        decide(arena, "model-x", state=ModelState.DISABLED)

        checkup = arena.administration.test_model(ROOT, "model-x")

    assert (checkup.model, checkup.problem) == ("model-x", None)


def vote(arena: Arena, verdict: Verdict) -> int:
    battle_id = arena.open_battle("me", "Hello?")
    wait_until(lambda: arena.live(battle_id, "me") is None or bool(arena._streams.get(battle_id).done))  # type: ignore[union-attr]
    wait_until(lambda: arena.view(battle_id, "me").state.value == "ready")
    arena.hold(battle_id, "me", verdict)
    arena.reveal_now(battle_id, "me")
    return arena._store.read.votes()[-1].seq


def test_votes_and_voters_are_decided_about_with_a_reason_and_a_name(arena: Arena) -> None:
    seq, desk = vote(arena, Verdict.A), arena.administration

    desk.exclude(ROOT, [seq], reason="a test")
    desk.restore(ROOT, [seq], reason="a mistake")
    [voter] = desk.voters(ROOT)
    desk.trust(ROOT, voter.voter, reason="a colleague")
    desk.untrust(ROOT, voter.voter, reason="not any more")
    with pytest.raises(DecisionRefused, match="not held"):
        desk.confirm(ROOT, [seq], reason="a farm")

    assert desk.votes(ROOT) == ()
    assert desk.alarms(ROOT) == ()
    decisions = [entry for entry in desk.audit(ROOT).entries[::-1] if entry.actor != CATALOGUE]
    assert {entry.actor for entry in decisions} == {"root"}
    assert [entry.reason for entry in decisions] == [
        "a test",
        "a mistake",
        "a colleague",
        "not any more",
    ]
    assert desk.check_audit(ROOT) == desk.audit(ROOT, limit=1).head


def test_another_k_moves_the_board_at_once_and_every_vote_after_it(arena: Arena) -> None:
    vote(arena, Verdict.A)
    before = {standing.model: standing.elo for standing in arena.board().standings}

    arena.administration.change_k(ROOT, 8.0, reason="steadier")

    after = {standing.model: standing.elo for standing in arena.board().standings}
    assert {model: round(elo - 1000, 6) for model, elo in after.items()} == {
        model: round((elo - 1000) / 4, 6) for model, elo in before.items()
    }
    assert arena.administration.elo(ROOT).k == 8.0
    assert arena.administration.verify(ROOT).votes == 1
    [entry] = arena.administration.audit(ROOT, limit=1).entries
    assert (entry.action, entry.reason) == ("elo changed", "steadier")


@pytest.mark.parametrize(
    ("k", "reason", "said"),
    [(0, "x", "above 0"), (401, "x", "above 0"), (float("nan"), "x", "above 0"), (8, " ", "why")],
)
def test_a_k_that_makes_no_sense_or_has_no_reason_is_refused(
    untouched: Arena, k: float, reason: str, said: str
) -> None:
    with pytest.raises(DecisionRefused, match=said):
        untouched.administration.change_k(ROOT, k, reason=reason)

    assert untouched.administration.elo(ROOT).k == 32.0


def test_usage_and_spending_are_told(settings: MakeSettings) -> None:
    with opened(settings(extra="[budgets]\nall_tokens_per_day = 100000")) as arena:
        vote(arena, Verdict.B)
        usage, spending = arena.administration.usage(ROOT), arena.administration.spending(ROOT, days=7)

    assert usage.budgets.all_tokens_per_day == 100_000
    assert usage.spent.tokens > 0
    assert not usage.rates_are_shared
    assert sum(each.attempts for each in spending) == 2


LOGIN = '[login]\nrequired_for = "voting"'
ASKING: dict[str, Callable[[Arena, str, Role | None], object]] = {
    "open_battle": lambda arena, _, role: arena.open_battle("me", "Hello?", role=role),
    "write_on": lambda arena, battle_id, role: arena.write_on(battle_id, "me", "And?", role=role),
    "retry": lambda arena, battle_id, role: arena.retry(battle_id, "me", Side.A, role=role),
    "hold": lambda arena, battle_id, role: arena.hold(battle_id, "me", Verdict.A, role=role),
}


@pytest.mark.parametrize("verb", ASKING)
@pytest.mark.parametrize("role", [None, Role.OUTSIDER, Role.VIEWER])
def test_where_voting_needs_a_login_nobody_asks_or_votes_without_one(
    settings: MakeSettings, verb: str, role: Role | None
) -> None:
    with opened(settings(extra=LOGIN)) as arena:
        battle_id = arena.open_battle("me", "Hello?", role=Role.VOTER)
        wait_until(lambda: arena.view(battle_id, "me").state.value == "ready")

        with pytest.raises(NotAllowed, match=re.compile("log in|role")):
            ASKING[verb](arena, battle_id, role)

        arena.hold(battle_id, "me", Verdict.A, role=Role.VOTER)


def test_without_a_login_in_the_settings_everybody_votes(arena: Arena) -> None:
    assert vote(arena, Verdict.TIE) == 1


def test_taking_a_decision_back_leaves_the_model_to_the_file(arena: Arena) -> None:
    decide(arena, "model-x", state=ModelState.DISABLED)

    arena.administration.set_model(ROOT, "model-x", AS_IN_FILE)

    assert arena.board().specs["model-x"].state is ModelState.ENABLED
    assert [replace(each.spec) == each.in_file for each in arena.administration.models(ROOT)] == [True] * 3
