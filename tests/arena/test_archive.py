from contextlib import suppress
from pathlib import Path

from arena.archive import new_archive, open_archive
from arena.errors import ArchiveRefused, StoreCorrupt


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "board.zip"
    with new_archive(file, overwrite=False, about={"kind": "bundle"}) as archive:
        archive.add("votes.jsonl", "one vote\n" * 20)
    whole = file.read_bytes()

    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])

        with suppress(ArchiveRefused, StoreCorrupt), open_archive(file, kind="bundle") as found:
            assert found.text("votes.jsonl") == "one vote\n" * 20


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"\0" * 3_000_000)
    with new_archive(tmp_path / "a.zip", overwrite=False, about={"kind": "backup", "votes": 3}) as archive:
        archive.add_file("large.bin", tmp_path / "large")
        archive.add_json("some.json", {"b": 1, "a": ["é"]})

    with open_archive(tmp_path / "a.zip", kind="backup") as found:
        found.extract("large.bin", tmp_path / "back")

        assert found.about["votes"] == 3
        assert found.json("some.json") == {"a": ["é"], "b": 1}
        assert (tmp_path / "back").read_bytes() == b"\0" * 3_000_000
