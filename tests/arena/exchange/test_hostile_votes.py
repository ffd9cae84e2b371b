"""Files that lie, break off or explode: each bad row is named with its line and reason, and nothing is swallowed."""

import gzip
import json
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from arena.errors import ImportRefused
from arena.exchange import VoteFile
from arena.exchange.formula_guard import guarded, unguarded
from arena.exchange.strict_json import read_json_array
from arena.foreign import ForeignVote, RejectedRow

HEADER = b"id,model_a,model_b,winner,time,voter\n"
GOOD = b"%d,ant,bee,model_a,2024-08-14T12:00:00Z,v\n"
GOOD_RECORD = {"id": "g", "model_a": "ant", "model_b": "bee", "winner": "tie", "time": 1_700_000_000}

MakeFile = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> MakeFile:
    def write(content: bytes, name: str = "votes.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def everything(path: Path) -> tuple[list[ForeignVote], list[RejectedRow]]:
    rejected: list[RejectedRow] = []
    votes = [vote for part in VoteFile.open(path).votes(reject=rejected.append) for vote in part]
    return votes, rejected


def refusal(path: Path) -> str:
    with pytest.raises(ImportRefused) as caught:
        deque(VoteFile.open(path).votes(), maxlen=0)
    return str(caught.value)


BAD_ROWS = {
    "unknown verdict": (b"9,ant,bee,model_c,,v", "unknown verdict 'model_c'; known are model_a, model_b, tie"),
    "empty verdict": (b"9,ant,bee,,,v", "unknown verdict ''"),
    "same model": (b"9,ant,ant,tie,,v", "the model 'ant' meets itself"),
    "no model": (b"9,ant, ,tie,,v", "a model has no name"),
    "control characters": (b"9,ant,b\x1b[31mee,tie,,v", "is no model name"),
    "a terminal's 8-bit command": ("9,ant,b\x9b31mee,tie,,v".encode(), "is no model name"),
    "a name that turns the line": ("9,ant,b\u202eee,tie,,v".encode(), "is no model name"),
    "a name with an invisible twin": ("9,ant,an\u200bt,tie,,v".encode(), "is no model name"),
    "long name": (b"9,ant," + b"x" * 301 + b",tie,,v", "is no model name: it is too long"),
    "no time": (b"9,ant,bee,tie,yesterday,v", "'yesterday' is not a time"),
    "impossible day": (b"9,ant,bee,tie,2024-02-30,v", "'2024-02-30' is not a time"),
    "milliseconds": (b"9,ant,bee,tie,1700000000000,v", "'1700000000000' is not a time"),
    "nan": (b"9,ant,bee,tie,nan,v", "'nan' is not a time"),
    "infinity": (b"9,ant,bee,tie,Infinity,v", "'Infinity' is not a time"),
    "huge": (b"9,ant,bee,tie,1e999,v", "'1e999' is not a time"),
    "underscores": (b"9,ant,bee,tie,1_700_000_000,v", "is not a time"),
    "wide digits": (("9,ant,bee,tie,17" + "\uff10" * 8 + ",v").encode(), "is not a time"),
    "long ago": (b"9,ant,bee,tie,1969-12-31,v", "is not a time between 2000 and 2100"),
    "year 1": (b"9,ant,bee,tie,0001-01-01T00:00+23:00,v", "is not a time"),
    "far future": (b"9,ant,bee,tie,9999-01-01,v", "is not a time between 2000 and 2100"),
    "duplicate id": (b"0,ant,bee,tie,,v", "the id '0' stands twice"),
    "long id": (b"x" * 301 + b",ant,bee,tie,,v", "is no id: it is too long"),
    "encoding": (b"9,ant,b\xe9\xe9,tie,,v", "is not UTF-8 text"),
    "nul": (b"9,ant,be\0e,tie,,v", "holds NUL"),
    "too few cells": (b"9,ant,bee", "has 3 cells, the header 6"),
    "too many cells": (b"9,ant,bee,tie,,v,w", "has 7 cells, the header 6"),
    "stray quote": (b'9,"ant"x,bee,tie,,v', "is no row of a table"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_of_a_table_refuses_the_file_with_line_and_reason(make: MakeFile, case: str) -> None:
    row, reason = BAD_ROWS[case]
    path = make(HEADER + GOOD % 0 + GOOD % 1 + row + b"\n" + GOOD % 2)

    message = refusal(path)

    assert message.startswith("votes.csv, line 4: ")
    assert reason in message
    assert message.endswith("Nothing was imported.")


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_of_a_table_can_be_set_apart(make: MakeFile, case: str) -> None:
    row, reason = BAD_ROWS[case]
    path = make(HEADER + GOOD % 0 + GOOD % 1 + row + b"\n" + GOOD % 2)

    votes, (rejected,) = everything(path)

    assert [vote.id for vote in votes] == ["0", "1", "2"]
    assert [vote.line for vote in votes] == [2, 3, 5]
    assert rejected.line == 4
    assert reason in rejected.reason


def test_lines_are_counted_through_cells_of_several_lines_and_blank_lines(make: MakeFile) -> None:
    path = make(
        b'id,model_a,model_b,winner,prompt\n\n1,a,b,tie,"two\nlines"\r\n\n2,a,b,tie,"x\n\ny"\n3,a,a,tie,\n"4,a,b\n',
    )

    votes, rejected = everything(path)

    assert [(vote.id, vote.line) for vote in votes] == [("1", 3), ("2", 6)]
    assert [row.line for row in rejected] == [9, 10]


def test_every_bad_row_of_many_is_set_apart(make: MakeFile) -> None:
    rows = [GOOD % n if n % 3 else b"%d,ant,ant,tie,,v\n" % n for n in range(2_000)]
    path = make(HEADER + b"".join(rows))

    votes, rejected = everything(path)

    assert [int(vote.id or "") for vote in votes] == [n for n in range(2_000) if n % 3]
    assert [row.line - 2 for row in rejected] == list(range(0, 2_000, 3))
    assert json.loads(rejected[1].raw)["id"] == "3"


def test_an_id_that_comes_again_much_later_is_found(make: MakeFile) -> None:
    path = make(HEADER + b"".join(GOOD % n for n in range(5_000)) + GOOD % 17 + GOOD % 17)

    votes, rejected = everything(path)

    assert len(votes) == 5_000
    assert [row.line for row in rejected] == [5_002, 5_003]


BAD_RECORDS = {
    "NaN": ('{"model_a":"ant","model_b":"bee","winner":"tie","time":NaN}', "NaN is no number"),
    "Infinity": ('{"model_a":"ant","model_b":"bee","winner":"tie","time":-Infinity}', "-Infinity is no number"),
    "1e999": ('{"model_a":"ant","model_b":"bee","winner":"tie","time":1e999}', "the number 1e999 is too large"),
    "long number": ('{"model_a":"ant","model_b":"bee","winner":"tie","time":' + "9" * 5_000 + "}", "refused"),
    "key twice": ('{"model_a":"ant","model_a":"bee","model_b":"b","winner":"tie"}', "key 'model_a' stands twice"),
    "float id": ('{"id":1.5,"model_a":"ant","model_b":"bee","winner":"tie"}', "1.5 is no id"),
    "true id": ('{"id":true,"model_a":"ant","model_b":"bee","winner":"tie"}', "True is no id"),
    "nul": ('{"id":"x\\u0000","model_a":"ant","model_b":"bee","winner":"tie"}', "is no id"),
    "nul in a name": ('{"model_a":"ant\\u0000","model_b":"bee","winner":"tie"}', "is no model name"),
    "half a character": ('{"model_a":"ant\\ud800","model_b":"bee","winner":"tie"}', "is no model name"),
    "half in a text": ('{"model_a":"ant","model_b":"bee","winner":"tie","prompt":"\\ud800"}', "half a character"),
    "list as name": ('{"model_a":["ant"],"model_b":"bee","winner":"tie"}', "a list or an object stands where"),
    "number as name": ('{"model_a":7,"model_b":"bee","winner":"tie"}', "7 is no model name"),
    "true as time": ('{"model_a":"ant","model_b":"bee","winner":"tie","time":true}', "True is not a time"),
    "huge time": ('{"model_a":"ant","model_b":"bee","winner":"tie","time":1e300}', "1e+300 is not a time"),
    "list as time": ('{"model_a":"ant","model_b":"bee","winner":"tie","time":[]}', "[] is not a time"),
    "true as verdict": ('{"model_a":"ant","model_b":"bee","winner":true}', "unknown verdict True"),
    "no verdict": ('{"model_a":"ant","model_b":"bee"}', "unknown verdict None"),
    "negative turns": ('{"model_a":"ant","model_b":"bee","winner":"tie","turns":-1}', "-1 is no count"),
    "number as text": ('{"model_a":"ant","model_b":"bee","winner":"tie","prompt":7}', "7 is no text"),
}


@pytest.mark.parametrize("case", BAD_RECORDS)
def test_a_bad_record_of_json_lines_is_named_and_can_be_set_apart(make: MakeFile, case: str) -> None:
    record, reason = BAD_RECORDS[case]
    good = json.dumps(GOOD_RECORD).encode()
    path = make(b"\n".join([good, b"", record.encode(), good.replace(b'"g"', b'"h"')]), "votes.jsonl")

    votes, (rejected,) = everything(path)

    assert reason in refusal(path)
    assert "line 3" in refusal(path)
    assert [vote.id for vote in votes] == ["g", "h"]
    assert rejected.line == 3
    assert rejected.raw


@pytest.mark.parametrize("record", [b"7", b'"text"', b'{"model_a": ', b"\xff\xfe{}", b"[" * 100_000, b"nonsense"])
def test_a_line_that_is_no_object_is_set_apart(make: MakeFile, record: bytes) -> None:
    path = make(json.dumps(GOOD_RECORD).encode() + b"\n" + record, "votes.jsonl")

    votes, rejected = everything(path)

    assert (len(votes), [row.line for row in rejected]) == (1, [2])


BROKEN_LISTS = {
    "cut off": (b'[{"model_a": "ant"', "line 1, element 1 is not valid JSON"),
    "no end": (b'[{"a": 1}', "']' of the list is missing"),
    "no comma": (b'[{"a": 1} {"a": 2}]', "']' of the list is missing"),
    "more after it": (b'[{"a": 1}]\n[{"a": 1}]', "line 2: something follows the end"),
    "a number in it": (b'[{"a": 1},\n7]', "line 2, element 2 of the list is no object"),
    "NaN in it": (b'[\n\n{"a": NaN}]', "line 3, element 1 is refused: NaN is no number"),
    "a key twice": (b'[{"a": 1, "a": 2}]', "the key 'a' stands twice"),
    "deep": (b'[{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "nested too deeply"),
    "encoding": (b'[{"a": "\xe9"}]', "is not UTF-8 text"),
}


@pytest.mark.parametrize("case", BROKEN_LISTS)
def test_a_broken_list_is_refused_whole_with_its_line(make: MakeFile, case: str) -> None:
    content, reason = BROKEN_LISTS[case]
    path = make(content, "votes.json")

    with pytest.raises(ImportRefused) as caught:
        list(VoteFile(path, format_name="plain").votes(reject=lambda _: None))

    assert reason.lower() in str(caught.value).lower()


def test_a_list_is_the_same_however_it_is_cut_into_blocks() -> None:
    text = '[ {"a": "x, ]}\\"", "b": [1, {"c": "é"}]} ,\n\n{"a": 2},{"a":3}\n]\n'
    whole = list(read_json_array([text]))

    assert [(element.line, element.value["a"]) for element in whole] == [(1, 'x, ]}"'), (3, 2), (3, 3)]
    assert all(list(read_json_array([text[:i], text[i:]])) == whole for i in range(len(text)))
    assert list(read_json_array(list(text))) == whole


def test_a_long_list_is_read_in_little_memory(make: MakeFile) -> None:
    """65 MB of JSON; a reader that holds it all needs several times as much."""
    record = json.dumps({**GOOD_RECORD, "id": None, "prompt": "x" * 5_000}).encode()
    path = make(b"[" + b",\n".join([record] * 12_500) + b"]", "votes.json")

    with memory() as peak_bytes:
        votes = sum(map(len, VoteFile.open(path).votes()))

    assert votes == 12_500
    assert peak_bytes() < 30_000_000


@contextmanager
def memory() -> Iterator[Callable[[], int]]:
    """Tells the most memory that Python held at once since it was entered."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Packed files


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
@pytest.mark.parametrize("name", ["votes.csv.gz", "misnamed.csv"])
def test_a_packed_file_is_read_whatever_its_name(make: MakeFile, codec: str, name: str) -> None:
    packed = bytes(pa.Codec(codec).compress(HEADER + GOOD % 1))

    votes, _ = everything(make(packed, name))

    assert [vote.id for vote in votes] == ["1"]


@pytest.mark.parametrize(
    ("filler", "reason"),
    [(b"9" * 999 + b"\n", "unpacks to more than 100 times its size"), (b"x", "A line has more than 16,000,000 bytes")],
)
def test_a_compressed_bomb_is_refused_before_it_goes_off(make: MakeFile, filler: bytes, reason: str) -> None:
    path = make(gzip.compress(HEADER + filler * (100_000_000 // len(filler)), 9))

    with memory() as peak_bytes, pytest.raises(ImportRefused, match=reason):
        deque(VoteFile(path, format_name="plain").votes(reject=lambda _: None), maxlen=0)

    assert peak_bytes() < 80_000_000


def test_a_packed_file_that_is_cut_off_is_refused(make: MakeFile) -> None:
    packed = gzip.compress(HEADER + b"".join(GOOD % (n * 7_919) for n in range(200_000)))

    assert "is damaged" in refusal(make(packed[: len(packed) // 2]))


# Parquet


def parquet(path: Path, **columns: object) -> Path:
    defaults = {"model_a": ["ant", "ant"], "model_b": ["bee", "cat"], "winner": ["tie", "model_a"]}
    pq.write_table(pa.table({**defaults, **columns}), path)
    return path


def test_a_bad_row_of_a_parquet_file_is_named_by_its_number(tmp_path: Path) -> None:
    path = parquet(tmp_path / "votes.parquet", winner=["tie", "nobody"])

    assert "votes.parquet, line 2: unknown verdict 'nobody'" in refusal(path)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ({"id": [1.5, 2.0]}, "1.5 is no id"),
        ({"id": ["x", "x"]}, "the id 'x' stands twice"),
        ({"time": [float("nan"), 1.7e9]}, "nan is not a time"),
        ({"time": [float("inf"), 1.7e9]}, "inf is not a time"),
        ({"time": pa.array([10**15, 0], pa.timestamp("s"))}, "is not a time"),
        ({"time": pa.array([0, 10**18], pa.timestamp("ns", "UTC"))}, "is not a time between 2000 and 2100"),
        ({"voter": [b"\xff", b"v"]}, "is no id"),
        ({"model_a": [1, 2]}, "1 is no model name"),
        ({"winner": [["tie"], ["tie"]]}, "a list or an object stands where"),
    ],
)
def test_a_column_of_a_wrong_type_is_named(tmp_path: Path, column: dict[str, object], reason: str) -> None:
    path = parquet(tmp_path / "votes.parquet", **column)

    assert reason in refusal(path)


def test_text_of_a_parquet_file_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    broken = pa.array([b"b\xff", b"bee"], pa.binary()).view(pa.string())
    path = parquet(tmp_path / "votes.parquet", model_b=broken)

    votes, (rejected,) = everything(path)

    assert (len(votes), rejected.line) == (1, 1)
    assert "is no model name" in rejected.reason


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_of_every_unit_are_read(tmp_path: Path, unit: str) -> None:
    numbers = pa.array([1_700_000_000 * 1000 ** ["s", "ms", "us", "ns"].index(unit), None], pa.timestamp(unit))

    votes, _ = everything(parquet(tmp_path / "votes.parquet", time=numbers))

    assert [vote.cast_at and vote.cast_at.isoformat() for vote in votes] == ["2023-11-14T22:13:20+00:00", None]


def test_a_parquet_file_that_swells_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    schema = pa.schema([(name, pa.string()) for name in ("model_a", "model_b", "winner", "prompt")])
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        table = pa.table([[text] * 300 for text in ("ant", "bee", "tie", "x" * 100_000)], schema=schema)
        for _ in range(12):
            writer.write_table(table)

    assert "far more than its size allows" in refusal(path)


@pytest.mark.parametrize("cut", [4, 100, -20])
def test_a_damaged_parquet_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = parquet(tmp_path / "votes.parquet")
    path.write_bytes(path.read_bytes()[:cut])

    assert "is a damaged Parquet file" in refusal(path)


def test_a_packed_parquet_file_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "votes.parquet")
    path.write_bytes(gzip.compress(path.read_bytes()))

    assert "is a compressed Parquet file: unpack it first" in refusal(path)


# Whole files


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("model_a,model_b,winner".encode("utf-16"), "save it as UTF-8"),
        (b"\0\0\0\0", "is no UTF-8 text"),
        (b"model_a,model_b,winner,winner\n", "two columns 'winner'"),
        (b'"model_a,model_b', "the header is no row"),
    ],
)
def test_a_file_that_is_no_table_is_refused(make: MakeFile, content: bytes, reason: str) -> None:
    assert reason in refusal(make(content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "nothing.csv")


def test_counts_that_are_none_are_refused(make: MakeFile) -> None:
    header = b"model_a,model_b,a_wins,b_wins,ties,both_bad\na,b,1,2,3,4\n"
    for row, reason in [
        (b"a,c,1,2,3,-4", "'-4' is no count"),
        (b"a,c,1,2,3,4.5", "'4.5' is no count"),
        (b"a,b,1,2,3,4", "the pair 'a' and 'b' stands twice (first in line 2)"),
        (b"c,c,1,2,3,4", "the model 'c' meets itself"),
    ]:
        file = VoteFile.open(make(header + row + b"\n"))

        with pytest.raises(ImportRefused) as caught:
            list(file.tallies())
        assert f"line 3: {reason}" in str(caught.value)


def test_votes_are_not_taken_for_counts_nor_counts_for_votes(make: MakeFile) -> None:
    counts = VoteFile.open(make(b"model_a,model_b,a_wins,b_wins,ties,both_bad\na,b,1,2,3,4\n", "counts.csv"))
    votes = VoteFile.open(make(HEADER))

    with pytest.raises(ImportRefused, match="holds counts, not votes"):
        list(counts.votes())
    with pytest.raises(ImportRefused, match="holds votes, not counts"):
        list(votes.tallies())


BAD_FOREIGN: dict[str, list[dict[str, object]]] = {
    "clean_battle": [{"anony": "maybe"}, {"turn": -1}, {"conversation_a": "no list"}, {"conversation_a": ["x"]}],
    "lmarena_100k": [{"conv_metadata": 7}, {"conv_metadata": {"header_count_a": 7}}, {"judge_hash": 1.5}],
    "lmarena_140k": [{"conv_metadata": {"sum_assistant_a_tokens": -1}}, {"timestamp": "soon"}],
    "lmarena_55k": [{"winner_tie": "1"}, {"winner_tie": 2}, {"winner_tie": True}, {"prompt": "{}"}, {"prompt": "[1]"}],
    "comparia_votes": [{"chosen_model_name": "cat"}, {"both_equal": "perhaps"}],
    "open_webui": [
        {"data": 7},
        {"data": {"rating": 2, "model_id": "ant", "sibling_model_ids": ["bee"]}},
        {"data": {"rating": 1, "model_id": "ant", "sibling_model_ids": "bee"}},
        {"data": {"rating": 1, "model_id": "ant", "sibling_model_ids": ["ant"]}},
        {"data": {"rating": 1, "sibling_model_ids": ["ant"]}},
    ],
}
GOOD_FOREIGN: dict[str, dict[str, object]] = {
    "clean_battle": {"model_a": "ant", "model_b": "bee", "winner": "tie"},
    "lmarena_100k": {"model_a": "ant", "model_b": "bee", "winner": "tie"},
    "lmarena_140k": {"model_a": "ant", "model_b": "bee", "winner": "tie"},
    "lmarena_55k": {"model_a": "ant", "model_b": "bee", "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0},
    "comparia_votes": {"model_a_name": "ant", "model_b_name": "bee", "chosen_model_name": "bee", "both_equal": False},
    "open_webui": {"type": "rating", "data": {"rating": 1, "model_id": "ant", "sibling_model_ids": ["bee"]}},
}


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name, all_ in BAD_FOREIGN.items() for wrong in all_])
def test_a_value_that_a_format_does_not_know_is_a_bad_row(make: MakeFile, name: str, wrong: dict[str, object]) -> None:
    rows = [GOOD_FOREIGN[name], GOOD_FOREIGN[name] | wrong]
    path = make("\n".join(map(json.dumps, rows)).encode(), "votes.jsonl")
    rejected: list[RejectedRow] = []

    file = VoteFile(path, format_name=name)
    votes = [vote for part in file.votes(reject=rejected.append) for vote in part]

    assert (len(votes), [row.line for row in rejected]) == (1, [2])


# Formulas


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "'=1", "''@", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a"],
)
def test_a_cell_that_a_spreadsheet_would_run_is_guarded_and_restored(cell: str) -> None:
    assert guarded(cell) == "'" + cell
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["", "gpt-4", "'quoted'", "it's", "1-1", "a=b", "’=1"])
def test_a_harmless_cell_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == cell
    assert unguarded(cell) == cell
