import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from arena.archive import ABOUT, SUMS, new_archive
from arena.bundle import BundleReport, export_bundle, published, verify_bundle
from arena.bundle_report import report
from arena.bundle_results import results_of
from arena.domain import BattleKind, Seats
from arena.errors import ArchiveRefused, ExportRefused, StoreCorrupt, UnknownSource
from arena.selection import Selection
from arena.settings import load_settings
from arena.store import Store
from arena.transfer import import_file
from leaderboard import METHODS, EloSettings, Evidence
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk
from tests.arena.voting import Voters
from tests.conftest import MakeDatabase

DATA = Path(__file__).parents[1] / "data"
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def played(make_shared_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Sixty votes, some left out, and an imported file."""
    folder = tmp_path_factory.mktemp("arena")
    with closing(Store.open(make_shared_database(), clock=Clock())) as store:
        desk = Desk(store)
        desk.enter()
        desk.votes(60)
        store.write.exclude_votes([4], reason="farm", actor="root").result(DEADLINE_SECONDS)
        desk.vote(kind=BattleKind.AA, seats=Seats("ant", "ant"))
        (folder / "others.csv").write_text("model_a,model_b,winner\nx,y,model_a\ny,z,tie\nx,z,model_b\nz,x,model_b\n")
        import_file(store, folder / "others.csv", actor="root")
        yield store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "board.zip"


def _export(store: Store, file: Path, **options: Any) -> BundleReport:  # noqa: ANN401 - of export_bundle
    return export_bundle(store, file, configuration={"pace": "live"}, pictures={"a_chart": "<svg/>"}, **options)


def _members(file: Path) -> Members:
    with zipfile.ZipFile(file) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def _sealed(file: Path, members: Members) -> None:
    """Written as a forger would who knows the sums, too."""
    with new_archive(file, overwrite=True, about=json.loads(members[ABOUT])) as archive:
        for name, content in members.items():
            if name not in {ABOUT, SUMS}:
                archive.add(name, content)


def test_a_bundle_is_recomputed_to_the_last_bit_without_a_database(played: Store, file: Path) -> None:
    exported = _export(played, file, sources=["arena", "others"])

    verified = verify_bundle(file)

    assert verified == exported
    assert (verified.votes, verified.counted, verified.exact) == (65, 63, True)
    results = json.loads(_members(file)["results.json"])
    assert results["arena"]["left_out"] == {"aa": 1, "farm": 1}
    assert results["arena"]["ratings"]["elo"] == dict(played.read.board(now=Clock().now).ratings)
    assert list(results["others"]["ratings"]) == sorted(METHODS)


def test_two_bundles_of_one_state_differ_in_their_time_alone(played: Store, file: Path, tmp_path: Path) -> None:
    _export(played, file)
    _export(played, tmp_path / "again.zip")

    first, second = _members(file), _members(tmp_path / "again.zip")
    assert {name for name in first if first[name] != second[name]} == {ABOUT, SUMS}
    times = [json.loads(members[ABOUT]) | {"made_at": ""} for members in (first, second)]
    assert times[0] == times[1]


def test_it_says_where_the_audit_log_stood_and_what_made_it(played: Store, file: Path) -> None:
    _export(played, file)

    about = json.loads(_members(file)[ABOUT])
    assert about["audit"] == asdict(played.read.admin.audit_page(before=None, limit=1).head)
    assert (about["kind"], about["elo"], len(about["code"])) == ("bundle", {"k": 32, "start": 1000, "scale": 400}, 64)


def test_the_report_can_be_read_on_its_own(played: Store, file: Path) -> None:
    _export(played, file, sources=["arena", "others"])
    members = _members(file)
    about, results = json.loads(members[ABOUT]), json.loads(members["results.json"])
    page = members["report.html"].decode()

    for source in ("arena", "others"):
        made = results[source]
        lower, upper = made["lower"]["bradley_terry"], made["upper"]["bradley_terry"]
        for name, score in made["ratings"]["bradley_terry"].items():
            rank = 1 + sum(low > upper[name] for low in lower.values())
            elo, votes = made["ratings"]["elo"][name], made["battles"][name]
            interval = f"{lower[name]:,.1f} to {upper[name]:,.1f}"
            cells = "".join(f"<td>{cell}</td>" for cell in (f"{score:,.1f}", interval, f"{elo:,.1f}", votes))
            assert f'<tr><td>{rank}</td><th scope="row">{name}</th>{cells}</tr>' in page
    assert f"{datetime.fromisoformat(results['arena']['last_at']):%Y-%m-%d %H:%M} UTC" in page
    assert all(told in page for told in (about["program"], about["code"], about["audit"]["digest"]))
    for name in ("votes/0.jsonl", "votes/1.jsonl", "results.json", "models.json", "configuration.json"):
        assert hashlib.sha256(members[name]).hexdigest() in page


def test_the_ends_of_every_interval_are_those_of_the_method(played: Store, file: Path) -> None:
    _export(played, file)

    made = json.loads(_members(file)["results.json"])["arena"]
    chosen = played.read.selected_votes(Selection(), in_order=True)
    assert chosen.games is not None
    rated = METHODS["bradley_terry"].rate(Evidence.from_games(chosen.games, left_out=chosen.left_out))
    assert rated.estimate is not None
    assert made["lower"]["bradley_terry"] == dict(zip(rated.estimate.names, rated.estimate.lower.tolist(), strict=True))
    assert made["upper"].keys() == made["lower"].keys() >= {"bradley_terry", "davidson"}
    assert "elo" not in made["lower"]


def test_a_name_in_the_report_is_no_markup() -> None:
    name = "<img src=x onerror=alert(1)>"
    about = {
        "program": "1",
        "code": "c",
        "sources": ["arena"],
        "elo": asdict(EloSettings()),
        "audit": {"seq": 0, "digest": ""},
    }
    made = results_of(
        [{"seq": 1, "at": "2026-11-22T12:00:00+00:00", "a": name, "b": "b", "verdict": "a"}], EloSettings()
    )

    page = report(about, {"arena": made}, {}, {})

    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 2


def test_a_bundle_of_a_board_that_moves_holds_one_moment_of_it(make_database: MakeDatabase, file: Path) -> None:
    with closing(Store.open(make_database())) as store:
        Desk(store).enter()
        voters = Voters(store)
        try:
            for _ in range(2):
                voters.one_more()
                exported = _export(store, file, overwrite=True)
                assert verify_bundle(file) == exported
        finally:
            voters.stop()


def test_votes_that_are_left_out_while_they_are_read_are_read_again(played: Store, file: Path) -> None:
    with once_before(played, "vote.seq > ", lambda: decide(played.write.exclude_votes)):
        exported = _export(played, file)

    decide(played.write.restore_votes)
    assert verify_bundle(file) == exported
    assert json.loads(_members(file)["results.json"])["arena"]["left_out"]["late"] == 1


def decide(verb: Callable[..., Future[None]]) -> None:
    verb([9], reason="late", actor="root").result(DEADLINE_SECONDS)


@contextmanager
def once_before(store: Store, words: str, act: Callable[[], None]) -> Iterator[None]:
    """Do something the first time that the database is asked a question with these words."""
    left = [act]

    def look(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if words in statement and left:
            left.pop()()

    reading = store._engines[0]
    event.listen(reading, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(reading, "before_cursor_execute", look)
    assert not left


def test_nobody_is_named_and_nothing_is_quoted(played: Store, file: Path) -> None:
    _export(played, file)

    everything = b"".join(_members(file).values())
    assert b"Because." not in everything
    assert b"Why?" not in everything
    assert b'"voter"' not in everything


def test_any_changed_byte_is_found(played: Store, file: Path) -> None:
    _export(played, file)
    whole = _members(file)

    for name in sorted(whole.keys() - {SUMS}):
        changed = whole | {name: whole[name][:-2] + b"?" + whole[name][-1:]}
        with zipfile.ZipFile(file, "w") as packed:
            for member, content in changed.items():
                packed.writestr(member, content)

        with pytest.raises(StoreCorrupt, match=name):
            verify_bundle(file)


def _change(members: Members, name: str, change: Callable[[Any], object]) -> None:
    value = json.loads(members[name])
    change(value)
    members[name] = json.dumps(value).encode()


def _swap_votes(members: Members) -> None:
    lines = members["votes/0.jsonl"].splitlines(keepends=True)
    members["votes/0.jsonl"] = b"".join([*lines[:6], lines[7], lines[6], *lines[8:]])


def _drop_vote(members: Members) -> None:
    lines = members["votes/0.jsonl"].splitlines(keepends=True)
    members["votes/0.jsonl"] = b"".join(lines[:-1])


FORGED: dict[str, tuple[Callable[[Members], object], str]] = {
    "a rating": (
        lambda members: _change(members, "results.json", lambda r: r["arena"]["ratings"]["elo"].update(bee=1234.5)),
        "1234.5 for elo of 'bee' in arena",
    ),
    "a missing rating": (
        lambda members: _change(members, "results.json", lambda r: r["arena"]["ratings"]["elo"].pop("bee")),
        "elo of arena",
    ),
    "a missing method": (
        lambda members: _change(members, "results.json", lambda r: r["arena"]["ratings"].pop("davidson")),
        "by each method",
    ),
    "a missing source": (lambda members: _change(members, "results.json", lambda r: r.pop("arena")), "sources"),
    "an interval": (
        lambda members: _change(
            members, "results.json", lambda r: r["arena"]["lower"]["bradley_terry"].update(bee=1.5)
        ),
        "1.5 for the lower end of bradley_terry of 'bee' in arena",
    ),
    "a missing interval": (
        lambda members: _change(members, "results.json", lambda r: r["arena"]["upper"].pop("davidson")),
        "the upper of 'arena' by each method",
    ),
    "the number left out": (
        lambda members: _change(members, "results.json", lambda r: r["arena"].update(left_out={})),
        "{} for left_out of arena",
    ),
    "a vote": (
        lambda members: members.update(
            {"votes/0.jsonl": members["votes/0.jsonl"].replace(b'"verdict": "a"', b'"verdict": "b"', 1)}
        ),
        "for verdicts of arena",
    ),
    "the order of votes": (_swap_votes, "a vote is missing or moved"),
    "the last vote": (_drop_vote, "61 for votes of arena"),
    "the settings of Elo": (
        lambda members: _change(members, ABOUT, lambda about: about["elo"].update(k=16)),
        "for elo of",
    ),
    "no votes": (lambda members: members.pop("votes/0.jsonl"), "votes/0.jsonl is missing"),
    "no verdict": (
        lambda members: members.update({"votes/0.jsonl": b'{"seq": 1, "a": "x", "b": "y"}\n'}),
        "cannot be read: KeyError",
    ),
    "the report": (
        lambda members: members.update({"report.html": members["report.html"].replace(b"61 votes", b"99 votes")}),
        "report.html",
    ),
    "a picture": (lambda members: members.update({"charts/a_chart.svg": b"<svg>other</svg>"}), "report.html"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forgery_is_named_even_when_its_sums_fit(played: Store, file: Path, what: str) -> None:
    forge, words = FORGED[what]
    _export(played, file)
    members = _members(file)
    forge(members)
    _sealed(file, members)

    with pytest.raises(StoreCorrupt) as caught:
        verify_bundle(file)

    assert words in str(caught.value)


def test_another_platform_may_differ_in_the_last_bits_and_no_more(played: Store, file: Path) -> None:
    _export(played, file)
    members = _members(file)
    _change(members, ABOUT, lambda about: about["platform"].update(machine="another", libc="another"))
    _change(members, ABOUT, lambda about: about.update(code="another"))
    elo = json.loads(members["results.json"])["arena"]["ratings"]["elo"]["bee"]

    for difference, sound in ((1e-10, True), (1e-8, False)):
        near = elo + difference
        _change(members, "results.json", lambda r: r["arena"]["ratings"]["elo"].update(bee=near))  # noqa: B023 - used at once
        _sealed(file, members)
        if sound:
            assert verify_bundle(file).exact is False
        else:
            with pytest.raises(StoreCorrupt, match="elo of 'bee'"):
                verify_bundle(file)


def test_an_arena_without_votes_has_a_bundle_too(url: str, file: Path) -> None:
    with closing(Store.open(url)) as store:
        exported = _export(store, file)

    assert verify_bundle(file) == exported
    assert exported.votes == 0


def test_counts_cannot_be_bundled(url: str, file: Path) -> None:
    with closing(Store.open(url)) as store:
        import_file(store, DATA / "chatbot_arena_20240814_pairs.csv", actor="root", name="counts")

        with pytest.raises(ExportRefused, match="holds counts, not votes"):
            _export(store, file, sources=["counts"])
        with pytest.raises(UnknownSource):
            _export(store, file, sources=["nobody"])
    assert not file.exists()


def test_a_backup_is_no_bundle(file: Path) -> None:
    with new_archive(file, overwrite=False, about={"kind": "backup"}):
        pass

    with pytest.raises(ArchiveRefused, match="is no bundle"):
        verify_bundle(file)


def test_what_is_published_of_the_settings_holds_no_secret_or_address(tmp_path: Path) -> None:
    (tmp_path / "arena.toml").write_text(
        """
        database_url = "postgresql://me:planted0001@db/arena"
        redis_url = "redis://:planted0002@cache/0"
        pace = "together"

        [moderation]
        base_url = "https://planted0004.example/v1"

        [[models]]
        name = "walnut"
        provider = "openai_chat"
        base_url = "https://planted0005.example/v1"
        upstream_id = "walnut-7b"
        system_prompt = "planted0006"
        """
    )

    told = published(load_settings(config=tmp_path / "arena.toml", environ={}))

    assert "planted" not in json.dumps(told)
    assert (told["pace"], told["models"]) == ("together", [{"name": "walnut", "provider": "openai_chat"}])
