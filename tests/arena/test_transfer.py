"""A file goes into the database and comes out again; whatever it was written in, the ratings are the same."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arena.domain import ModelSpec, Reply, ReplyStatus, Seats, Side
from arena.errors import ExportRefused, ImportRefused, UnknownFormat, UnknownSource
from arena.exchange import FORMATS
from arena.foreign import RejectedRow
from arena.store import NewBattle, Store
from arena.transfer import check_file, export_file, export_in_memory, import_file
from leaderboard import EloSettings, PairCounts, fold_elo
from leaderboard.verdicts import Verdict
from tests.conftest import MakeDatabase

DATA = Path(__file__).parents[1] / "data"
VOTE_FORMATS = [
    (name, kind.value) for name, chosen in FORMATS.items() if not chosen.tallies_only for kind in chosen.kinds
]
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Empty."""
    opened = Store.open(url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def voted(make_shared_database: MakeDatabase) -> Iterator[Store]:
    """200 votes by people on five models, some of them excluded, on a clock that steps back now and then."""
    rng = random.Random(3)
    clock = [START]
    opened = Store.open(make_shared_database(), clock=lambda: clock[0])
    names = ["ant", "bee, the", "=cat", "dög", "eel"]
    opened.write.sync_models([ModelSpec(name=name, provider="p", display_name=name) for name in names]).result()
    for number in range(200):
        clock[0] += timedelta(seconds=rng.randint(-1, 3), microseconds=number)
        battle = NewBattle(
            id=f"b{number}",
            conversation_id=f"c{number}",
            seats=Seats(*rng.sample(names, 2)),
            owner=f"o{number % 7}",
            prompt=f"Prompt {number}\n=1+1, 'x'?",
            fingerprints=dict.fromkeys(Side, "x"),
        )
        opened.write.open_battle(battle)
        for side in Side:
            reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text=f"-{side} {number}")
            opened.write.finish_reply(battle.id, reply)
        opened.write.cast_vote(battle.id, battle.owner, rng.choice(list(Verdict))).result()
    opened.write.exclude_votes([5, 60, 61], reason="farm", actor="root").result()
    yield opened
    opened.close()


@pytest.mark.parametrize(("format_name", "ending"), VOTE_FORMATS)
def test_exported_votes_give_the_same_ratings_in_an_empty_database_to_the_last_bit(
    voted: Store, store: Store, tmp_path: Path, format_name: str, ending: str
) -> None:
    path = tmp_path / f"votes.{ending}"

    exported = export_file(voted, path, format_name=format_name)
    imported = import_file(store, path, actor="tester")

    assert exported == imported.source.votes == 197
    board = voted.read.board(now=START)
    rated = fold_elo(store.read.source_games("votes"), settings=EloSettings())
    assert dict(rated.ratings) == dict(board.ratings)
    assert same_wins(store.read.source_counts("votes"), voted.read.source_counts("arena"))
    store.read.verify()


def same_wins(one: PairCounts, other: PairCounts) -> bool:
    draws = ((one.ties + one.both_bad) == (other.ties + other.both_bad)).all()
    return one.names == other.names and bool((one.wins == other.wins).all()) and bool(draws)


@pytest.mark.both_engines
@pytest.mark.parametrize(("format_name", "ending"), [("clean_battle", "json"), ("lmarena_140k", "parquet")])
def test_both_bad_and_what_was_said_come_along(
    voted: Store, store: Store, tmp_path: Path, format_name: str, ending: str
) -> None:
    path = tmp_path / f"votes.{ending}"
    export_file(voted, path, format_name=format_name)

    import_file(store, path, actor="tester")

    ours, theirs = list(voted.read.source_votes("arena")), list(store.read.source_votes("votes"))
    assert [vote.conversation for vote in theirs] == [vote.conversation for vote in ours]
    assert [vote.verdict for vote in theirs] == [vote.verdict for vote in ours]
    assert [vote.cast_at for vote in theirs] == [vote.cast_at for vote in ours]


def test_counts_come_back_as_the_same_pairs(voted: Store, store: Store, tmp_path: Path) -> None:
    exported = export_file(voted, tmp_path / "pairs.csv", format_name="pair_counts")

    import_file(store, tmp_path / "pairs.csv", actor="tester")

    ours, theirs = voted.read.source_counts("arena"), store.read.source_counts("pairs")
    assert exported == theirs.votes == 197
    assert same_wins(ours, theirs)
    assert (ours.both_bad == theirs.both_bad).all()


@pytest.mark.parametrize(
    ("name", "votes", "models"), [("llmfao_votes", 8_931, 59), ("chatbot_arena_20240814_pairs", 1_670_250, 129)]
)
def test_published_files_give_a_board(store: Store, name: str, votes: int, models: int) -> None:
    report = import_file(store, DATA / f"{name}.csv", actor="tester")

    counts = store.read.source_counts(name)
    assert (report.added, report.source.name, report.source.votes) == (True, name, votes)
    assert (counts.votes, len(counts.names)) == (votes, models)
    assert store.read.verify().sources == 1


@pytest.mark.both_engines
def test_the_same_file_twice_adds_nothing(store: Store, tmp_path: Path) -> None:
    first = import_file(store, DATA / "llmfao_votes.csv", actor="tester")
    again = tmp_path / "renamed.csv"
    again.write_bytes((DATA / "llmfao_votes.csv").read_bytes())
    version = store.read.board_version()

    report = import_file(store, again, actor="tester", name="other")

    assert (report.added, report.source, report.check) == (False, first.source, None)
    assert store.read.board_version() == version


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.csv"
    path.write_text("model_a,model_b,winner\na,b,tie\na,a,tie\nb,a,model_a\n")
    return path


def test_one_bad_row_changes_nothing_at_all(store: Store, bad: Path) -> None:
    version = store.read.board_version()

    with pytest.raises(ImportRefused, match=r"bad.csv, line 3: the model 'a' meets itself. Nothing was imported."):
        import_file(store, bad, actor="tester")

    assert (store.read.sources(), store.read.board_version()) == ((), version)


def test_bad_rows_can_be_set_apart(store: Store, bad: Path) -> None:
    rejected: list[RejectedRow] = []

    report = import_file(store, bad, actor="tester", reject=rejected.append)

    assert report.check is not None
    assert (report.source.votes, report.check.rejected) == (2, 1)
    assert [row.line for row in rejected] == [3], "once, though the file is read twice"


def test_a_check_counts_and_tells_how_far_it_is(bad: Path) -> None:
    told: list[tuple[str, float]] = []
    rejected: list[RejectedRow] = []

    report = check_file(bad, reject=rejected.append, progress=lambda stage, fraction: told.append((stage, fraction)))

    assert (report.format_name, report.votes, report.rejected, report.passed_over) == ("plain", 2, 1, 0)
    assert told == [("Checking", 1.0)]


def test_a_file_without_votes_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("model_a,model_b,winner\n")

    with pytest.raises(ImportRefused, match="holds no votes"):
        import_file(store, path, actor="tester")


@pytest.mark.parametrize("name", [" ", "x" * 101, "a\nb", "arena"])
def test_a_name_that_is_none_is_refused(store: Store, bad: Path, name: str) -> None:
    with pytest.raises(ImportRefused, match="--name"):
        import_file(store, bad, actor="tester", name=name, reject=lambda _: None)

    assert store.read.sources() == ()


def test_an_imported_source_can_be_exported_again(store: Store, tmp_path: Path) -> None:
    import_file(store, DATA / "llmfao_votes.csv", actor="tester")

    written = export_file(store, tmp_path / "again.parquet", format_name="plain", source="llmfao_votes")
    import_file(store, tmp_path / "again.parquet", actor="tester")

    assert written == 8_931
    before, after = (
        [vote._replace(line=0) for vote in store.read.source_votes(name)] for name in ("llmfao_votes", "again")
    )
    assert before == after


def test_what_cannot_be_exported_is_said(store: Store, tmp_path: Path) -> None:
    import_file(store, DATA / "chatbot_arena_20240814_pairs.csv", actor="tester", name="pairs")
    there = tmp_path / "there.csv"
    there.touch()

    with pytest.raises(ExportRefused, match=r"is there already: .* --overwrite"):
        export_file(store, there, format_name="plain")
    with pytest.raises(ExportRefused, match="holds counts, not votes: export it as pair_counts"):
        export_file(store, tmp_path / "x.csv", format_name="plain", source="pairs")
    with pytest.raises(UnknownSource):
        export_file(store, tmp_path / "x.csv", format_name="plain", source="nobody")
    with pytest.raises(UnknownFormat):
        export_file(store, tmp_path / "x.csv", format_name="chess")
    assert export_file(store, there, format_name="plain", overwrite=True) == 0
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_file_in_memory_is_the_one_that_would_be_written(voted: Store, tmp_path: Path, format_name: str) -> None:
    made = export_in_memory(voted, format_name=format_name)

    path = tmp_path / made.name
    assert made.votes == export_file(voted, path, format_name=format_name) == 197
    assert made.content == path.read_bytes()


def test_a_file_too_large_for_memory_is_refused_with_the_command_that_writes_it(voted: Store) -> None:
    with pytest.raises(ExportRefused, match=r"more than a page can carry.*`arena export`.*votes.csv --format plain"):
        export_in_memory(voted, format_name="plain", largest_bytes=1_000)
