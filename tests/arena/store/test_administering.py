"""Sessions, tries to sign in, decisions about models, Elo settings and the pages of the audit log."""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from arena.domain import ModelState, Reply, ReplyFigures, ReplyStatus, Seats, Side
from arena.errors import SignInRefused, StoreCorrupt, UnknownModel
from arena.store import AS_IN_FILE, ModelSetting, Spending, Store
from arena.store.engine import database_of
from leaderboard import EloSettings, Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk, MakeDesk, spec

MONTH = timedelta(days=30)
WINDOW = timedelta(minutes=15)


def done(future: Future[Any]) -> Any:  # noqa: ANN401 - whatever it holds
    return future.result(DEADLINE_SECONDS)


def begin(store: Store, session_id: str, person: str = "administrator") -> None:
    done(store.write.admin.begin_session(session_id, person, credential="password 1", keep=MONTH))


def states(store: Store) -> dict[str, ModelState]:
    return {model.spec.name: model.spec.state for model in store.read.models()}


def test_a_session_is_known_until_it_ends(store: Store, clock: Clock) -> None:
    begin(store, "one")
    clock.advance(minutes=5)
    done(store.write.admin.see_session("one"))

    before = store.read.admin.session("one")
    ended = done(store.write.admin.end_sessions("administrator"))

    assert before is not None
    assert (before.person, before.credential, before.ended_at) == ("administrator", "password 1", None)
    assert before.seen_at - before.started_at == timedelta(minutes=5)
    assert ended == 1
    assert store.read.admin.session("one") == replace(before, ended_at=clock.now)
    assert store.read.admin.session("another") is None


def test_signing_out_ends_every_session_of_that_person_and_of_nobody_else(store: Store) -> None:
    for session_id, person in (("one", "administrator"), ("two", "administrator"), ("three", "somebody")):
        begin(store, session_id, person)

    assert done(store.write.admin.end_sessions("administrator")) == 2
    assert done(store.write.admin.end_sessions("administrator")) == 0

    other = store.read.admin.session("three")
    assert other is not None
    assert other.ended_at is None


def test_old_sessions_are_forgotten_with_the_next_sign_in(store: Store, clock: Clock) -> None:
    begin(store, "old")
    clock.advance(days=31)

    begin(store, "new")

    assert store.read.admin.session("old") is None


def test_a_login_makes_a_voter_and_a_session_once(store: Store, clock: Clock) -> None:
    done(store.write.admin.begin_login("login", "voter-1"))
    clock.advance(hours=1)
    done(store.write.admin.begin_login("login", "voter-1"))

    session = store.read.admin.session("login")
    assert session is not None
    assert clock.now - session.started_at == timedelta(hours=1)


def test_the_sixth_try_is_refused_and_says_for_how_long(store: Store, clock: Clock) -> None:
    for _ in range(5):
        done(store.write.admin.count_try({"here": 5}, window=WINDOW))

    clock.advance(minutes=5)

    with pytest.raises(SignInRefused, match="for 10 minutes"):
        done(store.write.admin.count_try({"here": 5}, window=WINDOW))
    done(store.write.admin.count_try({"elsewhere": 5}, window=WINDOW))


def test_tries_in_parallel_cannot_together_pass_the_bound(store: Store) -> None:
    futures = [store.write.admin.count_try({"here": 5}, window=WINDOW) for _ in range(40)]

    assert sum(future.exception(DEADLINE_SECONDS) is None for future in futures) == 5


def test_a_lock_out_ends_even_if_somebody_goes_on_trying(store: Store, clock: Clock) -> None:
    for _ in range(5):
        done(store.write.admin.count_try({"here": 5}, window=WINDOW))
    for _ in range(14):
        clock.advance(minutes=1)
        with pytest.raises(SignInRefused):
            done(store.write.admin.count_try({"here": 5}, window=WINDOW))
    clock.advance(minutes=1)

    done(store.write.admin.count_try({"here": 5}, window=WINDOW))


def test_a_right_password_is_no_wrong_try(store: Store) -> None:
    scopes: Mapping[str, int] = {"all": 30, "here": 5}
    for _ in range(20):
        done(store.write.admin.count_try(scopes, window=WINDOW))
        done(store.write.admin.take_back_try(scopes))

    done(store.write.admin.count_try(scopes, window=WINDOW))


def test_an_administrators_decision_about_a_model_stands_above_its_file(desk: Desk) -> None:
    store, before = desk.store, desk.store.read.board_version()

    done(store.write.admin.set_model("ant", ModelSetting(state=ModelState.DISABLED, weight=2.5), actor="root"))
    done(store.write.sync_models([spec(name, weight=1.0) for name in desk.names]))

    assert states(store)["ant"] is ModelState.DISABLED
    assert store.read.admin.model_settings() == {"ant": ModelSetting(state=ModelState.DISABLED, weight=2.5)}
    assert store.read.board_version() > before
    [entry] = desk.decisions()
    assert (entry.actor, entry.action, entry.target) == ("root", "model set", "ant")
    assert json.loads(entry.after or "") == {"state": "disabled", "weight": 2.5}


def test_a_decision_that_is_taken_back_leaves_the_model_to_the_file(desk: Desk) -> None:
    store = desk.store
    done(store.write.admin.set_model("ant", ModelSetting(state=ModelState.RETIRED), actor="root"))
    done(store.write.admin.set_model("ant", AS_IN_FILE, actor="root"))

    done(store.write.sync_models([spec(name) for name in desk.names]))

    assert states(store)["ant"] is ModelState.ENABLED
    assert store.read.admin.model_settings() == {}
    assert [entry.action for entry in desk.decisions()] == ["model set", "model as in the file"]


def test_deciding_the_same_again_moves_nothing(desk: Desk) -> None:
    done(desk.store.write.admin.set_model("ant", ModelSetting(weight=2), actor="root"))
    version = desk.store.read.board_version()

    done(desk.store.write.admin.set_model("ant", ModelSetting(weight=2), actor="root"))

    assert desk.store.read.board_version() == version
    assert len(desk.decisions()) == 1


def test_an_unknown_model_cannot_be_set(desk: Desk) -> None:
    with pytest.raises(UnknownModel, match="'gnu'"):
        done(desk.store.write.admin.set_model("gnu", ModelSetting(weight=2), actor="root"))


ELO = EloSettings(k=8.0, start=1000.0, scale=400.0)


def test_with_another_k_the_board_is_that_of_an_arena_that_always_had_it(make_desk: MakeDesk) -> None:
    desk, other = make_desk(), make_desk()
    desk.votes(40)
    done(other.store.write.admin.change_elo(ELO, actor="root"))
    other.votes(40)

    done(desk.store.write.admin.change_elo(ELO, actor="root"))

    assert desk.ratings() == other.ratings()
    assert desk.store.read.admin.elo() == ELO
    assert sum(desk.ratings().values()) == pytest.approx(4000, abs=1e-6)


def test_a_board_verifies_before_and_after_each_change_of_k(desk: Desk, clock: Clock) -> None:
    desk.votes(1_005)
    shown = desk.store.read.votes()
    for k in (8.0, 4.0):
        done(desk.store.write.admin.change_elo(replace(ELO, k=k), actor="root"))
        assert desk.store.read.verify().checkpoints > 0
        clock.advance(days=1)
    desk.votes(5)
    done(desk.store.write.exclude_votes({3, 1_002, 1_008}, reason="farm", actor="root"))
    done(desk.store.write.admin.change_elo(EloSettings(), actor="root"))

    assert desk.store.read.verify().votes == 1_010
    assert desk.store.read.votes(limit=2) == shown[:2]
    changes = [entry for entry in desk.store.read.audit() if entry.action == "elo changed"]
    assert [json.loads(entry.after or "")["k"] for entry in changes] == [8.0, 4.0, 32.0]


def test_the_same_settings_again_change_nothing(desk: Desk) -> None:
    desk.votes(3)
    version = desk.store.read.board_version()

    done(desk.store.write.admin.change_elo(EloSettings(), actor="root"))

    assert desk.store.read.board_version() == version
    assert desk.decisions() == ()


def test_a_forged_change_is_found_after_new_settings_too(desk: Desk, url: str) -> None:
    desk.votes(5)
    done(desk.store.write.admin.change_elo(ELO, actor="root"))
    desk.store.close()
    engine = database_of(url).writing_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE past_elo SET k = 31")
    engine.dispose()

    with closing(Store.open(url)) as store, pytest.raises(StoreCorrupt, match="change of vote"):
        store.read.verify()


def test_the_audit_log_is_read_page_by_page_and_its_head_stands_for_all(desk: Desk) -> None:
    for weight in range(1, 8):
        done(desk.store.write.admin.set_model("ant", ModelSetting(weight=weight / 2), actor="root"))

    first = desk.store.read.admin.audit_page(before=None, limit=5)
    second = desk.store.read.admin.audit_page(before=first.entries[-1].seq, limit=5)

    assert [entry.seq for entry in first.entries] == [11, 10, 9, 8, 7]
    assert [entry.seq for entry in second.entries] == [6, 5, 4, 3, 2]  # four models came first
    assert first.head == second.head == desk.store.read.admin.check_audit()
    assert first.head.seq == 11


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET seq = 9 WHERE seq = 3",
    ],
)
def test_a_changed_audit_log_is_found(desk: Desk, url: str, tamper: str) -> None:
    for weight in range(1, 4):
        done(desk.store.write.admin.set_model("ant", ModelSetting(weight=weight / 2), actor="root"))
    desk.store.close()
    engine = database_of(url).writing_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql(tamper)
    engine.dispose()

    with closing(Store.open(url)) as store, pytest.raises(StoreCorrupt, match="audit entry"):
        store.read.admin.check_audit()


def test_spending_is_told_by_model_and_day(desk: Desk, clock: Clock) -> None:
    for usd in (0.25, None):
        battle_id = desk.open(seats=Seats("ant", "bee"))
        figures = ReplyFigures(tokens_in=10, tokens_out=20, cost_usd=usd)
        reply = Reply(turn=1, side=Side.A, attempt=1, status=ReplyStatus.OK, text="Yes.", figures=figures)
        done(desk.store.write.finish_reply(battle_id, reply))
        clock.advance(days=1)

    found = desk.store.read.admin.spending(days=3, now=clock.now)

    assert [(each.day, each.model, each.attempts, each.tokens_in, each.tokens_out, each.usd) for each in found] == [
        (date(2026, 11, 23), "ant", 1, 10, 20, None),
        (date(2026, 11, 22), "ant", 1, 10, 20, 0.25),
    ]
    assert desk.store.read.admin.spending(days=1, now=clock.now) == ()
    assert desk.store.read.admin.spent_today(now=clock.now) == Spending()


def test_a_verdict_after_a_change_moves_by_the_new_k(desk: Desk) -> None:
    done(desk.store.write.admin.change_elo(ELO, actor="root"))

    vote = desk.vote(Verdict.A)

    assert desk.moved(vote, Side.A).after == 1004.0
