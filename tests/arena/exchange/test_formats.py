"""Every format of the table: what is written in it is recognised and read as the same votes."""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arena.errors import ExportRefused, ImportRefused, UnknownFormat
from arena.exchange import FORMATS, VoteFile, kind_for, write_tallies, write_votes
from arena.exchange.containers import Kind
from arena.foreign import NAMED, NO_STYLE, Conversation, ForeignTally, ForeignVote, StyleFigures
from leaderboard.verdicts import Verdict

DATA = Path(__file__).parents[2] / "data"
VOTE_FORMATS = [name for name, chosen in FORMATS.items() if not chosen.tallies_only]
KINDS = [(name, kind) for name in VOTE_FORMATS for kind in FORMATS[name].kinds]
# What a format cannot say comes back as this.
DEFAULTS = ForeignVote(0, "a", "b", Verdict.TIE)._asdict()
ONE_TIE = {"lmarena_55k", "comparia_votes", "open_webui"}
START = datetime(2024, 8, 14, 12, 30, 15, 123456, UTC)
SAID = Conversation(('Wie "spät"?\n,', "Und\tjetzt?"), ("=1+1", "’tis\r\n10"), ("@home", "-5"))


def votes() -> list[ForeignVote]:
    """One vote per verdict and more: every field known, none known, names that spreadsheets would run."""
    rich = [
        ForeignVote(
            line=0,
            model_a="gpt-4o, mini",
            model_b='claude "3"',
            verdict=verdict,
            cast_at=START + timedelta(microseconds=number),
            voter=f"voter {number}",
            id=f"vote-{number}",
            language="de",
            turns=2,
            conversation=SAID,
            style_a=StyleFigures(10, 2, 0, 7),
            style_b=StyleFigures(20, 0, 3, None),
        )
        for number, verdict in enumerate(Verdict)
    ]
    poor = ForeignVote(0, "=cmd()", "'=cmd()", Verdict.B)
    named = ForeignVote(0, "小模型", "modèle", Verdict.A, id="+7", voter="@me", left_out=NAMED)
    return [*rich, poor, named]


def all_votes(path: Path, *, format_name: str | None = None) -> list[ForeignVote]:
    return [vote for part in VoteFile.open(path, format_name=format_name).votes() for vote in part]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_what_is_written_is_recognised_and_read_as_the_same_votes(tmp_path: Path, name: str, kind: Kind) -> None:
    path = tmp_path / f"votes.{kind.value}"

    written = write_votes(votes(), path, format_name=name)

    file = VoteFile.open(path)
    read = [vote for part in file.votes() for vote in part]
    assert (file.format_name, written) == (name, len(votes()))
    assert [expected(vote, name) for vote in votes()] == [normal(vote, name) for vote in read]


def expected(vote: ForeignVote, name: str) -> ForeignVote:
    carries = FORMATS[name].carries
    kept = {field: value if field in carries else DEFAULTS[field] for field, value in vote._asdict().items()}
    kept |= {"model_a": vote.model_a, "model_b": vote.model_b, "verdict": vote.verdict, "line": 0}
    if name in ONE_TIE and vote.verdict is Verdict.BOTH_BAD:
        kept["verdict"] = Verdict.TIE
    return ForeignVote(**kept)


def normal(vote: ForeignVote, name: str) -> ForeignVote:
    """Without what a format says beyond what it promises: tokens, whole seconds, a conversation as one text."""
    extra = {field: DEFAULTS[field] for field in DEFAULTS if field not in FORMATS[name].carries}
    extra |= {"model_a": vote.model_a, "model_b": vote.model_b, "verdict": vote.verdict, "line": 0}
    return vote._replace(**extra)


def test_open_webui_keeps_times_to_the_second(tmp_path: Path) -> None:
    write_votes(votes(), tmp_path / "feedback.json", format_name="open_webui")

    read = all_votes(tmp_path / "feedback.json")

    assert read[0].cast_at == START.replace(microsecond=0)


def test_clean_battles_keep_the_tokens(tmp_path: Path) -> None:
    write_votes(votes(), tmp_path / "clean.json", format_name="clean_battle")

    read = all_votes(tmp_path / "clean.json")

    assert (read[0].style_a, read[0].style_b) == (StyleFigures(tokens=10), StyleFigures(tokens=20))
    assert read[-2].style_a == NO_STYLE


def test_a_plain_table_keeps_a_conversation_as_one_text(tmp_path: Path) -> None:
    write_votes(votes(), tmp_path / "votes.csv", format_name="plain")

    read = all_votes(tmp_path / "votes.csv")

    assert read[0].conversation == Conversation(*(("\n\n".join(column),) for column in SAID))
    assert read[-1].conversation is None


@pytest.mark.parametrize("name", VOTE_FORMATS)
def test_texts_are_left_in_the_file_when_nobody_wants_them(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"votes.{FORMATS[name].kinds[0].value}"
    write_votes(votes(), path, format_name=name)

    read = [vote for part in VoteFile.open(path).votes(texts=False) for vote in part]

    assert [vote.conversation for vote in read] == [None] * len(votes())


def test_pair_counts_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    tallies = [ForeignTally(0, "a", "=b", verdict, n) for n, verdict in enumerate(Verdict)]

    assert write_tallies(tallies, path) == 0 + 1 + 2 + 3

    read = [tally for part in VoteFile.open(path).tallies() for tally in part]
    assert [tally._replace(line=0) for tally in read] == tallies


def test_votes_are_summed_when_written_as_counts(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"

    written = write_votes([*votes(), *votes()], path, format_name="pair_counts")

    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert written == 10, "a vote on named models does not count"
    assert rows[0] == {
        "model_a": "'=cmd()",
        "model_b": "''=cmd()",
        "a_wins": "0",
        "b_wins": "2",
        "ties": "0",
        "both_bad": "0",
    }
    assert [rows[1][name] for name in ("a_wins", "b_wins", "ties", "both_bad")] == ["2", "2", "2", "2"]


# Published files


def test_the_crowd_votes_of_llmfao_are_a_plain_table() -> None:
    file = VoteFile.open(DATA / "llmfao_votes.csv")

    read = [vote for part in file.votes() for vote in part]

    assert (file.format_name, len(read)) == ("plain", 8_931)
    assert read[0] == ForeignVote(2, "Airoboros L2 70B", "Weaver 12k", Verdict.TIE, voter="58", id="0")
    assert len({name for vote in read for name in (vote.model_a, vote.model_b)}) == 59
    assert len({vote.voter for vote in read}) == 124


def test_the_pair_counts_of_chatbot_arena_hold_all_their_votes() -> None:
    file = VoteFile.open(DATA / "chatbot_arena_20240814_pairs.csv")

    read = [tally for part in file.tallies() for tally in part]

    assert file.format_name == "pair_counts"
    assert sum(tally.n for tally in read) == 1_670_250
    assert len({name for tally in read for name in (tally.model_a, tally.model_b)}) == 129


def test_a_published_clean_battle_is_read() -> None:
    """The shape of lmsys/chatbot_arena_conversations, shortened."""
    row = {
        "question_id": "58210e39b3fd4441a2bd4a518bb44c2d",
        "model_a": "chatglm-6b",
        "model_b": "koala-13b",
        "winner": "tie (bothbad)",
        "judge": "arena_user_973",
        "conversation_a": [{"content": "What is OpenCL?", "role": "user"}, {"content": "A.", "role": "assistant"}],
        "conversation_b": [{"content": "What is OpenCL?", "role": "user"}, {"content": "B.", "role": "assistant"}],
        "turn": 1,
        "anony": True,
        "language": "English",
        "tstamp": 1682351591.1322,
        "openai_moderation": {"flagged": False},
    }

    vote = one_vote(row, name="clean_battle")

    assert vote == ForeignVote(
        line=2,
        model_a="chatglm-6b",
        model_b="koala-13b",
        verdict=Verdict.BOTH_BAD,
        cast_at=datetime(2023, 4, 24, 15, 53, 11, 132200, UTC),
        voter="arena_user_973",
        id="58210e39b3fd4441a2bd4a518bb44c2d",
        language="en",
        turns=1,
        conversation=Conversation(("What is OpenCL?",), ("A.",), ("B.",)),
    )


def test_a_published_140k_vote_is_read() -> None:
    def part(text: str) -> list[dict[str, object]]:
        return [{"type": "text", "text": text, "image": None, "mimeType": None}]

    row = {
        "id": "0b09f9cb-45a2-484f-87d6-d98e5f4f1b02",
        "model_a": "gemini-2.5-flash",
        "model_b": "o3",
        "winner": "both_bad",
        "evaluation_session_id": "s",
        "evaluation_order": 2,
        "conversation_a": [{"role": "user", "content": part("Hi")}, {"role": "assistant", "content": part("A")}],
        "conversation_b": [{"role": "user", "content": part("Hi")}, {"role": "assistant", "content": part("B")}],
        "conv_metadata": {
            "sum_assistant_a_tokens": 510,
            "header_count_a": {"h1": 1, "h2": 2, "h3": 0, "h4": 0, "h5": 0, "h6": 0},
            "list_count_a": {"ordered": 3, "unordered": 4},
            "bold_count_a": {"**": 5, "__": 1},
            "sum_assistant_b_tokens": 7,
        },
        "language": "pl",
        "timestamp": "2025-07-01T10:00:00",
    }

    vote = one_vote(row, name="lmarena_140k")

    assert (vote.verdict, vote.language, vote.voter) == (Verdict.BOTH_BAD, "pl", None)
    assert vote.cast_at == datetime(2025, 7, 1, 10, tzinfo=UTC)
    assert vote.conversation == Conversation(("Hi",), ("A",), ("B",))
    assert (vote.style_a, vote.style_b) == (StyleFigures(510, 3, 7, 6), StyleFigures(tokens=7))


def test_a_published_55k_vote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(
        "id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie\n"
        '30192,gpt-4-1106-preview,gpt-4-0613,"[""Is it?"",""Why?""]","[""Yes"",null]","[""No"",""So""]",0,1,0\n'
    )

    (vote,) = all_votes(path)

    assert (vote.id, vote.verdict) == ("30192", Verdict.B)
    assert vote.conversation == Conversation(("Is it?", "Why?"), ("Yes", ""), ("No", "So"))


def test_published_compar_ia_votes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "votes.tsv"
    path.write_text(
        "id\ttimestamp\tmodel_a_name\tmodel_b_name\tchosen_model_name\tboth_equal\tvisitor_id\n"
        "1\t2024-10-14 09:00:01.5\tmistral\tllama\tllama\tFalse\tabc\n"
        "2\t2024-10-14 09:00:02\tmistral\tllama\t\tTrue\t\n"
    )

    first, second = all_votes(path)

    assert (first.verdict, second.verdict) == (Verdict.B, Verdict.TIE)
    assert first.cast_at == datetime(2024, 10, 14, 9, 0, 1, 500_000, UTC)
    assert (first.voter, second.voter) == ("abc", None)


def test_one_thumb_of_open_webui_is_a_vote_against_each_answer_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "feedback.json"
    common = {"user_id": "u", "type": "rating", "created_at": 1_726_000_000}
    records = [
        {"id": "f1", "data": {"rating": 1, "model_id": "x", "sibling_model_ids": ["y", "z"]}, **common},
        {"id": "f2", "data": {"rating": -1, "model_id": "x", "sibling_model_ids": None}, **common},
        {"id": "f3", "data": {"rating": -1, "model_id": "x", "sibling_model_ids": ["y"]}, **common},
    ]
    path.write_text(json.dumps(records))
    file = VoteFile.open(path)

    read = [vote for part in file.votes() for vote in part]

    assert [(vote.model_a, vote.model_b, vote.verdict, vote.id) for vote in read] == [
        ("x", "y", Verdict.A, "f1"),
        ("x", "z", Verdict.A, "f1#2"),
        ("x", "y", Verdict.B, "f3"),
    ]
    assert file.passed_over == 1


def one_vote(row: dict[str, object], *, name: str) -> ForeignVote:
    """Read a row as a JSON list, as JSON lines and from Parquet; all must agree."""
    found = list(written_each_way(row))

    assert [file.format_name for file, _ in found] == [name] * len(found)
    assert len({vote._replace(line=0) for _, vote in found}) == 1
    return found[0][1]


def written_each_way(row: dict[str, object]) -> Iterator[tuple[VoteFile, ForeignVote]]:
    import tempfile  # noqa: PLC0415 - one place

    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("list.json", "lines.jsonl", "table.parquet")]
        paths[0].write_text("[\n" + json.dumps(row, indent=1) + "]")
        paths[1].write_text(json.dumps(row))
        pq.write_table(pa.Table.from_pylist([row]), paths[2])
        for path in paths:
            file = VoteFile.open(path)
            (vote,) = (vote for part in file.votes() for vote in part)
            yield file, vote


# Names of formats and files


@pytest.mark.parametrize("column", ["worker", "judge", "voter", "user"])
def test_a_plain_tables_columns_go_by_several_names(tmp_path: Path, column: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(f"\ufeffmodel_a;model_b;verdict;timestamp;{column}\r\nx;y;left;2024-01-01T01:00+01:00;7\r\n")

    assert all_votes(path) == [ForeignVote(2, "x", "y", Verdict.A, datetime(2024, 1, 1, tzinfo=UTC), "7")]


def test_a_named_format_overrides_recognition(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,judge,tstamp,turn\nx,y,both_bad,j,1700000000,1\n")

    assert VoteFile.open(path).format_name == "clean_battle"
    assert all_votes(path, format_name="plain")[0].verdict is Verdict.BOTH_BAD


def test_an_unknown_format_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"no format 'chess'; known are pair_counts, .*, plain"):
        write_votes([], tmp_path / "votes.csv", format_name="chess")


def test_a_file_in_no_format_is_refused_with_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("white,black,result\nx,y,1-0\n")

    with pytest.raises(ImportRefused, match=r"no known format \(its columns: black, result, white\).*--format"):
        VoteFile.open(path)


def test_a_kind_of_file_that_a_format_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match=r"Open WebUI feedback is not written as .csv: name the file .json, .jsonl"):
        write_votes([], tmp_path / "votes.csv", format_name="open_webui")


def test_a_name_without_a_known_ending_gets_the_formats_first_kind() -> None:
    assert kind_for(Path("votes"), FORMATS["clean_battle"]) is Kind.JSON


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    def breaking() -> Iterator[ForeignVote]:
        yield votes()[0]
        raise KeyError

    with pytest.raises(KeyError):
        write_votes(breaking(), tmp_path / "votes.csv", format_name="plain")
    with pytest.raises(ExportRefused, match="cannot be written: No such file"):
        write_votes([], tmp_path / "nowhere" / "votes.csv", format_name="plain")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_no_votes_at_all_are_written_and_read(tmp_path: Path, name: str, kind: Kind) -> None:
    path = tmp_path / f"votes.{kind.value}"
    write_votes([], path, format_name=name)

    read: Sequence[ForeignVote] = all_votes(path, format_name=name) if kind is not Kind.JSON_LINES else ()

    assert list(read) == []
