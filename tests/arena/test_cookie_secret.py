"""Which secret signs cookies: an arena that has another one than its database knows says so, and betrays nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from arena.__main__ import main
from arena.backup import back_up, restore
from arena.people import People
from arena.settings import load_settings
from arena.store import Store
from tests.arena.store.conftest import Clock
from tests.conftest import MakeDatabase
from tests.stored import stored_bytes

pytestmark = pytest.mark.both_engines
FIRST, SECOND = "the first secret, planted0001", "another secret, planted0002"

MakePeople = Callable[[str], People]
Run = Callable[..., "tuple[object, str, str]"]


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store.open(url, clock=Clock())) as opened:
        yield opened


def people_on(store: Store, secret: str) -> People:
    return People(load_settings(environ={"ARENA_SECRET": secret}), store)


@pytest.fixture
def replica(store: Store) -> MakePeople:
    """An arena on the one database, with a secret of its own."""
    return lambda secret: people_on(store, secret)


def test_the_first_secret_is_noted_and_the_same_one_is_welcome(replica: MakePeople) -> None:
    first, again = replica(FIRST), replica(FIRST)

    assert [first.note_secret(), again.note_secret(), again.secret_warning()] == [None] * 3


def test_a_replica_with_another_secret_says_what_that_means_and_what_to_do(replica: MakePeople) -> None:
    first, other = replica(FIRST), replica(SECOND)
    first.note_secret()

    warning = other.note_secret()

    assert warning is not None
    assert "signed with another secret" in warning
    assert "since 2026-11-22 12:00 UTC" in warning
    assert "set ARENA_SECRET to the same value" in warning
    assert "arena admin accept-secret" in warning
    assert other.secret_warning() == warning
    assert first.secret_warning() is None, "the first one stays the one that is known"
    assert other.note_secret() == warning, "at every start"


def test_replicas_that_start_at_once_with_two_secrets_are_told_apart(replica: MakePeople) -> None:
    replicas = [replica(secret) for secret in (FIRST, SECOND) * 4]

    with ThreadPoolExecutor(len(replicas)) as pool:
        warned = list(pool.map(lambda each: each.note_secret() is not None, replicas))

    assert warned in ([False, True] * 4, [True, False] * 4)


def test_a_secret_that_was_changed_on_purpose_is_accepted_with_who_and_why(store: Store, replica: MakePeople) -> None:
    first, other = replica(FIRST), replica(SECOND)
    first.note_secret()

    accepted, again = (other.accept_secret(actor="root", reason="it leaked") for _ in range(2))

    assert (accepted, again) == (True, False)
    assert other.secret_warning() is None
    assert first.secret_warning() is not None, "whoever was not restarted yet"
    [entry] = store.read.audit()
    assert (entry.actor, entry.action, entry.reason) == ("root", "secret accepted", "it leaked")
    store.read.admin.check_audit()


def test_a_database_that_knows_no_secret_accepts_one_and_warns_nobody(replica: MakePeople) -> None:
    arena = replica(FIRST)

    assert arena.secret_warning() is None
    assert arena.accept_secret(actor="root", reason="at the beginning")
    assert arena.note_secret() is None


def test_nothing_that_is_stored_or_said_betrays_the_secret(store: Store, replica: MakePeople, url: str) -> None:
    replica(FIRST).note_secret()
    warning = replica(SECOND).note_secret()
    replica(SECOND).accept_secret(actor="root", reason="a new one")
    store.close()

    told = stored_bytes(url) + str(warning).encode()
    for secret in (FIRST.encode(), SECOND.encode()):
        assert secret not in told
        assert sha256(secret).hexdigest()[:16].encode() not in told, "nor what a table of common secrets would find"
    assert b"planted" not in told


def test_a_copy_that_is_restored_elsewhere_misses_the_secret_that_was_left_behind(
    replica: MakePeople, url: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    replica(FIRST).note_secret()
    back_up(url, tmp_path / "night.backup")
    elsewhere = make_database(blank=True)

    restore(elsewhere, tmp_path / "night.backup")

    with closing(Store.open(elsewhere)) as restored:
        assert people_on(restored, SECOND).note_secret() is not None
        assert people_on(restored, FIRST).note_secret() is None, "with its secret its voters are at home"


# The command


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Run:
    """Commands of a machine whose arena has the second secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENA_DATABASE_URL", url)
    monkeypatch.setenv("ARENA_SECRET", SECOND)

    def command(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return ended.value.code, *capsys.readouterr()

    return command


def test_the_command_accepts_the_secret_of_its_settings(run: Run, url: str) -> None:
    with closing(Store.open(url)) as store:
        people_on(store, FIRST).note_secret()

    code, out, _ = run("admin", "accept-secret", "--reason", "it leaked")
    again = run("admin", "accept-secret", "--reason", "it leaked")

    assert code == 0
    assert out.startswith("Accepted: from now on")
    assert again[:2] == (0, "This is the secret that the database knows already: nothing was changed.\n")
    with closing(Store.open(url)) as store:
        assert people_on(store, SECOND).note_secret() is None
        assert [entry.actor for entry in store.read.audit()] == ["command line"]


def test_a_reason_is_asked_for(run: Run) -> None:
    code, _, err = run("admin", "accept-secret", "--reason", " ")

    assert code == 2
    assert "Say why" in err


@pytest.mark.sqlite_only
def test_a_lost_secret_file_is_noticed(tmp_path: Path, url: str) -> None:
    environ = {"ARENA_DATABASE_URL": url, "ARENA_DATA_DIR": str(tmp_path / "data")}
    with closing(Store.open(url)) as store:
        assert People(load_settings(environ=environ), store).note_secret() is None
        (tmp_path / "data" / "secret").unlink()

        assert People(load_settings(environ=environ), store).note_secret() is not None
