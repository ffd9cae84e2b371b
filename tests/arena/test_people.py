"""Who is there: sessions begin, end, and let nobody in whom they should not."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from arena.errors import SignInRefused
from arena.passwords import store_hash
from arena.people import ADMINISTRATOR, IDLE, NEW_PASSWORD, SIGNED_OUT, TOO_OLD, People
from arena.roles import Person, Role
from arena.settings import Settings, load_settings
from arena.store import Store
from tests.arena.store.conftest import Clock
from tests.stored import stored_bytes

PASSWORD = "correct horse battery"
# As strong hashes are checked by their own parameters, tests may use weak ones: 1 ms instead of 100.
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASHED, ANOTHER = WEAK.hash(PASSWORD), WEAK.hash("another good password")
ISSUER = "https://login.example.com"
NETWORK = "ab" * 16
COOKIE = Person(id="cookie", role=Role.VOTER)

MakePeople = Callable[..., People]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settings_in(folder: Path, text: str = "") -> Settings:
    (folder / "arena.toml").write_text(text)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ARENA_")}
    return load_settings(config=folder / "arena.toml", environ=variables)


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    with closing(Store.open(url, clock=clock)) as opened:
        yield opened


@pytest.fixture
def people(tmp_path: Path, store: Store, clock: Clock) -> MakePeople:
    def make(text: str = "") -> People:
        settings = settings_in(tmp_path, text)
        store_hash(HASHED, data_dir=settings.data_dir)
        return People(settings, store, clock=clock)

    return make


def claims(clock: Clock, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any claim
    return {"iss": ISSUER, "sub": "ann", "iat": int(clock.now.timestamp()), "nonce": "n1", **more}


def counted(store: Store) -> dict[str, int]:
    return dict(store.read.guard_counts())


def test_the_right_password_makes_an_administrator(people: MakePeople, store: Store) -> None:
    them = people()

    person = them.administrator(them.sign_in(PASSWORD, network=NETWORK), COOKIE)

    assert (person.id, person.role, person.is_known) == (ADMINISTRATOR, Role.ADMINISTRATOR, True)
    assert person.voter == "cookie"
    assert [entry.action for entry in store.read.audit()] == ["signed in"]


def test_neither_token_nor_password_stands_in_the_database(people: MakePeople, store: Store, url: str) -> None:
    token = people().sign_in(PASSWORD, network=NETWORK)
    store.close()

    stored = stored_bytes(url)
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored
    assert HASHED.encode() not in stored


def test_a_made_up_token_is_nobody(people: MakePeople) -> None:
    person = people().administrator("made up", COOKIE)

    assert (person.id, person.role, person.is_known, person.why) == ("cookie", Role.VOTER, False, None)


def test_without_a_password_nobody_signs_in(tmp_path: Path, store: Store, clock: Clock) -> None:
    them = People(settings_in(tmp_path), store, clock=clock)

    assert not them.has_password()
    with pytest.raises(SignInRefused, match="arena admin password"):
        them.sign_in("", network=None)


@pytest.mark.parametrize("network", [None, NETWORK])
def test_after_five_wrong_passwords_the_sixth_try_is_refused_even_with_the_right_one(
    people: MakePeople, store: Store, clock: Clock, network: str | None
) -> None:
    them = people()
    for _ in range(5):
        with pytest.raises(SignInRefused, match="not the password"):
            them.sign_in("wrong", network=network)

    with pytest.raises(SignInRefused, match="not even with the right one"):
        them.sign_in(PASSWORD, network=network)

    assert counted(store) == {"sign-in locked out": 1, "wrong password": 5}
    clock.advance(minutes=15)
    assert them.administrator(them.sign_in(PASSWORD, network=network), COOKIE).role is Role.ADMINISTRATOR


def test_fifty_wrong_passwords_from_everywhere_lock_all_networks_but_not_the_machine_itself(
    people: MakePeople,
) -> None:
    them = people()
    for number in range(50):
        with pytest.raises(SignInRefused, match="not the password"):
            them.sign_in("wrong", network=f"network {number}")

    with pytest.raises(SignInRefused, match="Too many"):
        them.sign_in(PASSWORD, network="one more")
    assert them.sign_in(PASSWORD, network=None)


def test_four_slips_and_the_right_password_are_forgiven_again_and_again(people: MakePeople, clock: Clock) -> None:
    them = people()
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(SignInRefused, match="not the password"):
                them.sign_in("wrong", network=NETWORK)
        assert them.sign_in(PASSWORD, network=NETWORK)
        clock.advance(minutes=16)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([timedelta(minutes=59), timedelta(minutes=59), timedelta(minutes=59)], None),
        ([timedelta(minutes=61)], IDLE),
        ([timedelta(minutes=50)] * 14, None),
        ([timedelta(minutes=50)] * 15, TOO_OLD),
    ],
)
def test_a_session_ends_when_it_is_idle_and_when_it_is_old(
    people: MakePeople, store: Store, clock: Clock, steps: list[timedelta], why: str | None
) -> None:
    them = people()
    token = them.sign_in(PASSWORD, network=None)

    for step in steps:
        clock.advance(seconds=step.total_seconds())
        person = them.administrator(token, COOKIE)
        store.write.interrupt_expired().result()  # behind it, what was seen is stored

    assert person.why == why
    assert person.role is (Role.VOTER if why else Role.ADMINISTRATOR)


def test_signing_out_ends_every_session_of_the_administrator(people: MakePeople) -> None:
    them = people()
    tokens = [them.sign_in(PASSWORD, network=None) for _ in range(2)]

    them.sign_out(them.administrator(tokens[0], COOKIE))

    assert [them.administrator(token, COOKIE).why for token in tokens] == [SIGNED_OUT, SIGNED_OUT]
    assert them.administrator(them.sign_in(PASSWORD, network=None), COOKIE).role is Role.ADMINISTRATOR


def test_a_new_password_ends_every_session_without_a_restart(people: MakePeople, tmp_path: Path) -> None:
    them = people()
    token = them.sign_in(PASSWORD, network=None)

    store_hash(ANOTHER, data_dir=tmp_path / "arena-data")

    assert them.administrator(token, COOKIE).why == NEW_PASSWORD
    assert them.administrator(them.sign_in("another good password", network=None), COOKIE).role is Role.ADMINISTRATOR


def test_another_process_knows_the_session_too(people: MakePeople, url: str, tmp_path: Path, clock: Clock) -> None:
    token = people().sign_in(PASSWORD, network=None)

    with closing(Store.open_to_read(url)) as reader:
        other = People(settings_in(tmp_path), reader, clock=clock)

        assert other.administrator(token, COOKIE).role is Role.ADMINISTRATOR


def test_a_login_is_a_voter_by_issuer_and_subject_and_nothing_of_it_is_stored(
    people: MakePeople, store: Store, clock: Clock, url: str
) -> None:
    them = people()
    ann = them.logged_in(claims(clock, email="ann@example.com", name="Ann Example"), "cookie")
    again = them.logged_in(claims(clock, nonce="n2"), "cookie")
    bob = them.logged_in(claims(clock, sub="bob"), "cookie")
    elsewhere = them.logged_in(claims(clock, iss="https://other.example.com"), "cookie")

    assert ann.id == again.id
    assert len({ann.id, bob.id, elsewhere.id, "cookie"}) == 4
    assert (ann.role, ann.is_known) == (Role.VOTER, True)
    store.close()
    stored = stored_bytes(url)
    assert b"ann@example.com" not in stored
    assert b"Ann Example" not in stored


def test_whoever_logged_in_thirty_days_ago_is_trusted(people: MakePeople, store: Store, clock: Clock) -> None:
    them = people()
    ann = them.logged_in(claims(clock), "cookie")
    clock.advance(days=31)
    bob = them.logged_in(claims(clock, sub="bob"), "cookie")
    them.logged_in(claims(clock, nonce="later"), "cookie")

    voters = store.read.desk.voters(now=clock.now)
    assert {voter.id: voter.trusted for voter in voters} == {ann.id: True, bob.id: False}


@pytest.mark.parametrize("issued_at", [None, "soon", float("nan"), 1e300, -1e300, 0, True])
def test_a_login_without_a_sensible_time_has_ended(people: MakePeople, clock: Clock, issued_at: object) -> None:
    person = people().logged_in(claims(clock, iat=issued_at), "cookie")

    assert (person.id, person.is_known, person.why) == ("cookie", False, TOO_OLD)


def test_a_login_ends_after_the_time_the_settings_give_it(people: MakePeople, clock: Clock) -> None:
    them = people("[login]\nsession_hours = 2\nidle_minutes = 600")
    ann = claims(clock)
    clock.advance(hours=1.9)
    assert them.logged_in(ann, "cookie").is_known
    clock.advance(hours=0.2)

    assert them.logged_in(ann, "cookie").why == TOO_OLD


def test_a_login_that_was_signed_out_is_refused_for_ever_and_a_new_one_is_not(people: MakePeople, clock: Clock) -> None:
    them = people()
    them.sign_out(them.logged_in(claims(clock), "cookie"))

    assert them.logged_in(claims(clock), "cookie").why == SIGNED_OUT
    assert them.logged_in(claims(clock, nonce="n2"), "cookie").is_known


def test_signing_out_without_being_signed_in_ends_nobodys_session(people: MakePeople) -> None:
    them = people()
    token = them.sign_in(PASSWORD, network=None)

    them.sign_out(them.anonymous(ADMINISTRATOR))

    assert them.administrator(token, COOKIE).role is Role.ADMINISTRATOR


def test_where_reading_needs_a_login_an_ended_one_is_an_outsiders(people: MakePeople, clock: Clock) -> None:
    them = people('[login]\nrequired_for = "reading"\nadministrators = ["ann@example.com"]')
    ann = claims(clock, email="ann@example.com", email_verified=True)

    before = them.logged_in(ann, "cookie")
    clock.advance(hours=13)

    assert before.role is Role.ADMINISTRATOR
    assert them.logged_in(ann, "cookie").role is Role.OUTSIDER
