import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from arena.__main__ import main
from arena.domain import Seats, short_voter
from arena.settings import load_settings
from arena.store import Store
from leaderboard.integrity import Reason, Risk, Sign
from tests.arena.store.conftest import DEADLINE_SECONDS, Desk

Run = Callable[..., "tuple[object, str, str]"]
SEATS = Seats("ant", "bee")
LEANS = Reason(sign=Sign.FOR_MODEL, risk=0.97, sentence="The votes lean 130 points towards ant.")
FARM, OTHER = short_voter("farm"), short_voter("other")


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]
) -> Run:
    """Commands in a folder whose arena has three votes: two of `farm`, one of them held, and one of `other`."""
    monkeypatch.chdir(tmp_path)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    (tmp_path / "arena.toml").write_text("hold_seconds = 1.0\n")
    with opened() as store:
        desk = Desk(store)
        desk.enter()
        for owner in ("farm", "farm", "other"):
            desk.vote(seats=SEATS, owner=owner)
        hold = {1: Risk.of([LEANS])}
        alarms = {"ant": "Voters who came lately put ant 90 points above where the others put it."}
        store.write.settle_sweep(hold=hold, release=frozenset(), alarms=alarms).result(DEADLINE_SECONDS)

    def command(*arguments: str | Path) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return ended.value.code, *capsys.readouterr()

    return command


@contextmanager
def opened() -> Iterator[Store]:
    with closing(Store.open(load_settings().database_url)) as store:
        yield store


def left_out() -> dict[int, str | None]:
    with closing(Store.open_to_read(load_settings().database_url)) as store:
        return {vote.seq: vote.left_out for vote in store.read.votes()}


def test_held_votes_are_shown_with_their_reasons_and_models_in_alarm(run: Run) -> None:
    code, out, _ = run("votes", "held")

    assert code == 0
    (line,) = [line for line in out.splitlines() if FARM in line]
    for told in ("ant / bee", "0.97", "suspicious", LEANS.sentence):
        assert told in line
    assert "In alarm since" in out
    assert "ant. Voters who came lately" in out


def test_all_votes_can_be_listed_and_a_full_list_says_that_there_may_be_more(run: Run) -> None:
    _, out, _ = run("votes", "held", "--which", "all", "--limit", "3")
    _, own, _ = run("votes", "held", "--which", "all", "--voter", OTHER, "--json")
    code, _, err = run("votes", "held", "--which", "odd")

    assert "These are the newest 3; --limit shows more." in out
    assert [vote["seq"] for vote in json.loads(own)] == [3]
    assert code == 2
    assert "use held, left_out, all" in err


def test_a_held_vote_is_confirmed_by_its_number(run: Run) -> None:
    code, out, _ = run("votes", "confirm", "1", "--reason", "a farm")

    assert (code, out) == (0, "1 confirmed: out of the board for good.\n")
    assert left_out() == {1: "confirmed", 2: None, 3: None}
    _, listed, _ = run("votes", "held", "--which", "left_out")
    assert "command line leaves it out since" in listed
    assert "a farm" in listed


def test_a_voters_left_out_votes_are_restored_together(run: Run) -> None:
    run("votes", "exclude", "2", "--reason", "a test of ours")

    code, out, _ = run("votes", "restore", "--voter", FARM[:6], "--reason", "we know them")

    assert (code, out) == (0, "2 restored: they count in the places in which they were cast.\n")
    assert left_out() == {1: None, 2: None, 3: None}
    _, listed, _ = run("votes", "held", "--which", "all")
    assert "command line lets it count since" in listed


def test_all_votes_of_a_voter_are_excluded(run: Run) -> None:
    code, out, _ = run("votes", "exclude", "--voter", FARM, "--reason", "a test of ours")

    assert (code, out) == (0, "2 excluded from the board.\n")
    assert left_out() == {1: "excluded", 2: "excluded", 3: None}


@pytest.mark.parametrize("chosen", [(), ("1", "--voter", FARM)])
def test_votes_are_named_in_one_way(run: Run, chosen: tuple[str, ...]) -> None:
    code, _, err = run("votes", "confirm", *chosen, "--reason", "a farm")

    assert code == 2
    assert "give the votes' numbers, or --voter" in err


def test_what_cannot_be_decided_changes_nothing_and_says_why(run: Run) -> None:
    not_held, no_reason = run("votes", "confirm", "2", "--reason", "x"), run("votes", "restore", "1", "--reason", " ")
    unknown = run("voters", "trust", "nobody", "--reason", "x")

    assert not_held[::2] == (
        2,
        "arena: Vote 2 is not held, so there is nothing to confirm: nothing was changed.\n",
    )
    assert "Say why" in no_reason[2]
    assert "There is no voter 'nobody': `arena voters list` names them." in unknown[2]
    assert left_out() == {1: "suspicious", 2: None, 3: None}


def test_voters_are_listed_trusted_and_untrusted(run: Run) -> None:
    assert run("voters", "trust", FARM[:6], "--reason", "a colleague")[:2] == (0, f"Voter {FARM[:6]} is trusted.\n")
    _, out, _ = run("voters", "list")
    _, as_json, _ = run("voters", "list", "--json")
    code, told, _ = run("voters", "untrust", FARM, "--reason", "left")

    (line,) = [line for line in out.splitlines() if FARM in line]
    assert line.split()[1:6] == ["2", "1", "1", "50.0%", "administrator"]
    assert "for model 1" in line
    assert [(voter["voter"], voter["trusted"], voter["signs"]) for voter in json.loads(as_json)] == [
        (FARM, "administrator", {"for_model": 1}),
        (OTHER, None, {}),
    ]
    assert (code, told) == (0, f"Voter {FARM} is not marked as trusted.\n")


@pytest.mark.postgresql_only
def test_beside_an_arena_that_runs_on_a_server_votes_are_decided(run: Run) -> None:
    with opened():
        confirmed = run("votes", "confirm", "1", "--reason", "a farm")

    assert confirmed == (0, "1 confirmed: out of the board for good.\n", "")
    assert left_out()[1] == "confirmed"


@pytest.mark.sqlite_only
def test_beside_a_running_server_votes_can_be_read_and_not_decided(run: Run) -> None:
    with opened():
        refused = run("votes", "confirm", "1", "--reason", "a farm"), run("voters", "trust", FARM, "--reason", "x")
        read = run("votes", "held"), run("voters", "list")

    for code, _, err in refused:
        assert code == 2
        assert f"in use by the arena with process id {os.getpid()}: stop that process, then try again." in err
    assert [code for code, _, _ in read] == [0, 0]
    assert left_out()[1] == "suspicious"
