"""A running arena keeps voting while a file is imported in the same process, and its Elo never hears of it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arena.errors import ImportRefused, UnknownSource
from arena.selection import Selection
from arena.store import Store
from arena.transfer import import_file
from tests.arena.store.conftest import DEADLINE_SECONDS, Desk
from tests.arena.voting import Voters
from tests.conftest import MakeDatabase

IMPORTED = 40_000
FILE = Selection(sources=frozenset({"file"}))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store.open(url)) as opened:
        Desk(opened).enter()
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Votes on the very models of the arena, nearly an hour apart, so that whatever mixed them up would show."""
    path = tmp_path / "file.csv"
    lines = [f"{a},{b},{winner},{1_700_000_000 + 3_000 * i}" for i, (a, b, winner) in enumerate(rows())]
    path.write_text("\n".join(["model_a,model_b,winner,time", *lines]) + "\n")
    return path


def rows() -> Iterator[tuple[str, str, str]]:
    names, winners = ("ant", "bee", "cat", "dog"), ("model_a", "model_b", "tie", "both_bad")
    for i in range(IMPORTED):
        yield names[i % 4], names[(i + 1 + i % 3) % 4], winners[i % 7 % 4]


@pytest.fixture
def voters(store: Store) -> Iterator[Voters]:
    voters = Voters(store)
    yield voters
    voters.stop()


def watched(store: Store, voters: Voters, seen: list[str]) -> Callable[[str, float], None]:
    """Runs in the midst of the import: votes must come in, and nothing of the file may be seen."""

    def progress(stage: str, _fraction: float) -> None:
        seen.append(stage)
        if len(seen) % 10 == 0:
            voters.one_more()
            assert store.read.sources() == ()
            assert store.read.facets().sources == ("arena",)
            assert store.read.selected_votes(FILE).tallies == ()
            with pytest.raises(UnknownSource):
                store.read.source_counts("file")

    return progress


def test_every_vote_is_kept_and_the_elo_is_that_of_a_run_without_the_import(
    store: Store, path: Path, voters: Voters, make_database: MakeDatabase
) -> None:
    stages: list[str] = []
    voters.one_more()

    imported = import_file(store, path, actor="tester", progress=watched(store, voters, stages)).source
    voters.one_more()
    voters.stop()

    assert stages.count("Loading") > 50
    assert (imported.votes, sum(tally.n for tally in store.read.selected_votes(FILE).tallies)) == (IMPORTED, IMPORTED)
    stored = {vote.battle_id: vote.seq for vote in store.read.votes()}
    assert stored == {vote.battle_id: vote.seq for vote in voters.acknowledged}
    assert store.read.verify().sources == 1
    assert Desk(store).ratings() == ratings_without_the_import(store, make_database())


def ratings_without_the_import(store: Store, url: str) -> dict[str, float]:
    with closing(Store.open(url)) as other:
        desk = Desk(other)
        desk.enter()
        for vote in store.read.votes():
            desk.vote(vote.verdict, seats=vote.seats)
        return desk.ratings()


def test_an_import_that_fails_in_the_midst_of_votes_is_never_seen_and_loses_none(
    store: Store, path: Path, voters: Voters
) -> None:
    def break_off(stage: str, fraction: float) -> None:
        if stage == "Loading" and fraction > 0.5:
            raise ImportRefused("the power is gone")

    with pytest.raises(ImportRefused, match="power"):
        import_file(store, path, actor="tester", progress=break_off)
    voters.one_more()
    voters.stop()

    report = store.read.verify()
    assert (report.votes, report.sources) == (len(voters.acknowledged), 0)
    assert store.read.facets().sources == ("arena",)


def test_a_source_is_removed_in_the_midst_of_votes(store: Store, path: Path, voters: Voters) -> None:
    import_file(store, path, actor="tester")

    removed = store.write.remove_source("file", actor="tester")
    voters.one_more()
    removed.result(DEADLINE_SECONDS)
    voters.stop()

    report = store.read.verify()
    assert (report.votes, report.sources) == (len(voters.acknowledged), 0)
