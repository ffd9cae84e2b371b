import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, insert, inspect, make_url, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.schema import CreateTable

from arena.domain import BattleKind, BattleState, Fault, FinishReason, ModelState, Pace, ReplyStatus, Side
from arena.selection import EVERYTHING
from arena.store import Store
from arena.store.engine import DayOf, database_of
from arena.store.foreign_schema import ForeignVoteRow, SourceRow
from arena.store.migrating import alembic_config, migrate
from arena.store.schema import Base, BattleRow, EventKind, ModelRow, ReplyRow, VoteEventRow, VoteRow
from arena.store.trust_schema import VoterRow
from arena.strata import NO_STRATUM
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock
from tests.conftest import MakeDatabase

REFUSED = "constraint failed|cannot store TEXT|violates .* constraint|invalid input syntax for type double"


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    return make_database(blank=True)


@pytest.fixture
def migrated(url: str) -> Iterator[Engine]:
    engine = database_of(url).writing_engine()
    migrate(engine)
    yield engine
    engine.dispose()


def test_the_migrations_lead_to_the_schema(migrated: Engine) -> None:
    with migrated.begin() as connection:
        command.check(alembic_config(connection))


def test_the_migrations_lead_to_the_constraints_of_the_schema(migrated: Engine, make_database: MakeDatabase) -> None:
    """Alembic compares no checks, no strictness and no key names."""
    modelled = database_of(make_database(blank=True)).writing_engine()
    with modelled.begin() as connection:
        Base.metadata.create_all(connection)

    assert _shape(migrated) == _shape(modelled)
    modelled.dispose()


def _shape(engine: Engine) -> dict[str, object]:
    inspector = inspect(engine)
    return {
        name: {
            "checks": sorted((check["name"], check["sqltext"]) for check in inspector.get_check_constraints(name)),
            "unique": sorted(str(unique["name"]) for unique in inspector.get_unique_constraints(name)),
            "foreign": sorted(str(sorted(key.items(), key=str)) for key in inspector.get_foreign_keys(name)),
            "key": inspector.get_pk_constraint(name),
            "strict": inspector.get_table_options(name),
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def test_migrating_again_changes_nothing(migrated: Engine) -> None:
    before = _shape(migrated)

    again = migrate(migrated)

    assert again.before == again.after
    assert _shape(migrated) == before


def test_a_migration_that_fails_leaves_nothing_behind(url: str) -> None:
    engine = database_of(url).writing_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE vote (x TEXT)")

    with pytest.raises(Exception, match="vote"):
        migrate(engine)

    assert inspect(engine).get_table_names() == ["vote"]
    engine.dispose()


def test_there_is_one_line_of_numbered_migrations(migrated: Engine) -> None:
    with migrated.connect() as connection:
        scripts = list(ScriptDirectory.from_config(alembic_config(connection)).walk_revisions())

    numbers = [script.revision for script in scripts][::-1]
    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]


OLD_ROWS = {
    "0001": [
        """INSERT INTO model (name, display_name, state, fingerprint, provider, vision, aliases, created_at)
        VALUES ('a', 'A', 'enabled', '', 'p', 0, '[]', :now), ('b', 'B', 'enabled', '', 'p', 0, '[]', :now)""",
        "INSERT INTO rating VALUES ('a', 1016.0), ('b', 984.0)",
        "INSERT INTO board_state VALUES (1, 2, 1, :now, 32.0, 1000.0, 400.0)",
        "INSERT INTO conversation VALUES ('c', 'o', :now)",
        """INSERT INTO battle (id, conversation, ordinal, kind, seat_a, seat_b, state, owner, multi_turn, long_prompt,
        code, maths, language, created_at)
        VALUES ('x', 'c', 1, 'ranked', 'a', 'b', 'voted', 'o', 0, 0, 0, 0, 'und', :now)""",
        "INSERT INTO turn VALUES ('x', 1, 'Why?', :now)",
        """INSERT INTO reply (battle, turn, side, attempt, status, text, fingerprint, started_at)
        VALUES ('x', 1, 'a', 1, 'ok', '# Because', '', :now), ('x', 1, 'b', 1, 'ok', 'So.', '', :now)""",
        "INSERT INTO vote VALUES (1, 'x', 'o', 'a', 'a', 'b', 1000.0, 1000.0, 16.0, NULL, 0, 0, 0, 0, 'und', :now)",
        "INSERT INTO tally VALUES ('arena', '2026-11-22', 0, 0, 0, 0, 'und', '', 'a', 'b', 'a', 1)",
    ],
    "0002": [
        "INSERT INTO source VALUES (1, 'file', 'csv', 'ff', 'live', :now, 1, 0)",
        "INSERT INTO foreign_model VALUES (1, 'a'), (2, 'z')",
        "INSERT INTO foreign_vote VALUES (1, 0, 1, 2, 'a', NULL, NULL, NULL, NULL, 0, 0, 0, 0, 'und')",
        "INSERT INTO tally VALUES ('file', '', 0, 0, 0, 0, 'und', '', 'a', 'z', 'a', 1)",
    ],
    "0003": ["UPDATE source SET classifier = 'some 1.0'"],
    "0004": [
        "INSERT INTO vote_event VALUES (1, 1, 'restored', 'no farm', 'root', 1, :now)",
        """INSERT INTO audit VALUES (1, :now, 'root', 'votes restored', '[1]', '{"1": null}', '{"1": null}',
        '5eafe9e68c850e4f55ecc05b0d66930e49e87b186928f7f0e85ccea2e0f8d321')""",
    ],
    "0005": ["UPDATE vote_event SET note = 'looked at'"],
    "0006": [],
    "0007": [],
    "0008": [],
    "0009": ["UPDATE turn SET prompt = 'Why then?'"],
    "0010": [],
}

OLD_CLASSIFIERS: dict[str, list[str | None]] = {revision: ["some 1.0"] for revision in OLD_ROWS}
OLD_CLASSIFIERS |= {"0001": [], "0002": [None]}


@pytest.mark.parametrize("revision", OLD_ROWS)
def test_a_database_of_every_older_state_keeps_its_rows(url: str, clock: Clock, revision: str) -> None:
    _make_old(url, revision, clock.now)

    with closing(Store.open(url, clock=clock)) as store:
        report = store.read.verify()
        answer = store.read.battle("x")

    assert (report.votes, report.models, report.sources) == (1, 2, int(revision >= "0002"))
    assert answer is not None
    assert answer.turns[0].replies[Side.A].text == "# Because"


@pytest.mark.parametrize("revision", OLD_ROWS)
def test_what_was_stored_before_it_was_counted_says_so(url: str, clock: Clock, revision: str) -> None:
    _make_old(url, revision, clock.now)
    engine = database_of(url).writing_engine()

    migrate(engine)

    with engine.begin() as connection:
        figures = connection.execute(select(ReplyRow.length, ReplyRow.headings, ReplyRow.lists, ReplyRow.bold)).all()
        assert figures == [(None, None, None, None)] * 2
        assert connection.scalars(select(BattleRow.classifier)).all() == [""]
        assert connection.scalars(select(SourceRow.classifier)).all() == OLD_CLASSIFIERS[revision]
    engine.dispose()


@pytest.mark.parametrize("revision", OLD_ROWS)
def test_whoever_asked_before_there_were_voters_is_one(url: str, clock: Clock, revision: str) -> None:
    _make_old(url, revision, clock.now)
    engine = database_of(url).writing_engine()

    migrate(engine)

    with engine.begin() as connection:
        voters = connection.execute(select(VoterRow.id, VoterRow.first_seen_at, VoterRow.trusted)).all()
        assert voters == [("o", clock.now, False)]
        assert connection.execute(select(BattleRow.pace, BattleRow.leaked)).all() == [(Pace.LIVE, False)]
    engine.dispose()


@pytest.mark.parametrize("revision", OLD_ROWS)
def test_votes_from_before_answers_were_counted_have_no_known_style(url: str, clock: Clock, revision: str) -> None:
    _make_old(url, revision, clock.now)

    with closing(Store.open(url, clock=clock)) as store:
        votes = store.read.selected_votes(EVERYTHING, with_styles=True)

    assert votes.styles is not None
    assert votes.styles.known.tolist() == [False]


def _make_old(url: str, revision: str, now: datetime) -> None:
    """A database as the programs up to that revision left it: one battle with its vote, then one imported file."""
    engine = database_of(url).writing_engine()
    with engine.begin() as connection:
        for since in [known for known in OLD_ROWS if known <= revision]:
            command.upgrade(alembic_config(connection), since)
            for statement in OLD_ROWS[since]:
                connection.execute(text(statement), {"now": now.isoformat(timespec="microseconds")})
    engine.dispose()


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("event", EventKind)
def test_every_verdict_and_event_fits_a_migrated_database(
    migrated: Engine, clock: Clock, verdict: Verdict, event: EventKind
) -> None:
    with migrated.begin() as connection:
        _lay_ground(connection, clock.now)
        connection.execute(insert(VoteRow), _vote(clock.now, verdict=verdict))
        values = {"vote": 1, "kind": event, "reason": "r", "actor": "a", "after_seq": 1, "at": clock.now}
        connection.execute(insert(VoteEventRow), values)

        assert connection.scalar(select(VoteRow.verdict)) is verdict
        assert connection.scalar(select(VoteEventRow.kind)) is event


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((BattleRow.kind, kind) for kind in BattleKind),
        *((BattleRow.state, state) for state in BattleState),
        *((BattleRow.pace, pace) for pace in Pace),
        *((ModelRow.state, state) for state in ModelState),
        *((ReplyRow.side, side) for side in Side),
        *((ReplyRow.status, status) for status in ReplyStatus),
        *((ReplyRow.fault, fault) for fault in Fault),
        *((ReplyRow.finish_reason, reason) for reason in FinishReason),
    ],
)
def test_every_choice_fits_a_migrated_database(
    migrated: Engine, clock: Clock, column: InstrumentedAttribute[object], value: object
) -> None:
    with migrated.begin() as connection:
        _lay_ground(connection, clock.now, **{f"{column.class_.__tablename__}.{column.key}": value})

        assert connection.scalar(select(column).limit(1)) is value


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "'c'"},
        {"elo_a": "NULL"},
        {"elo_a": "1e6"},
        {"elo_a": "'many'"},
        {"left_out": "'why'"},
        {"battle": "'nothing'"},
        {"risk": "1.5"},
    ],
)
def test_a_vote_that_must_not_be_is_refused_by_the_database(
    migrated: Engine, clock: Clock, wrong: dict[str, str]
) -> None:
    changes = ", ".join(f"{name} = {value}" for name, value in wrong.items())
    with migrated.begin() as connection:
        _lay_ground(connection, clock.now)
        connection.execute(insert(VoteRow), _vote(clock.now))

        with pytest.raises(DatabaseError, match=REFUSED):
            connection.exec_driver_sql(f"UPDATE vote SET {changes}")


def test_a_risk_of_more_than_certainty_is_refused_by_the_database(migrated: Engine, clock: Clock) -> None:
    with migrated.begin() as connection:
        _lay_ground(connection, clock.now)
        connection.execute(insert(VoteRow), _vote(clock.now))
        event = {"vote": 1, "kind": EventKind.EXCLUDED, "reason": "r", "actor": "a", "after_seq": 1, "at": clock.now}

        with pytest.raises(DatabaseError, match=REFUSED):
            connection.execute(insert(VoteEventRow), event | {"risk": 1.5})


def test_a_battle_has_one_vote_for_ever(migrated: Engine, clock: Clock) -> None:
    with migrated.begin() as connection:
        _lay_ground(connection, clock.now)
        connection.execute(insert(VoteRow), _vote(clock.now, seq=1))

        with pytest.raises(DatabaseError, match=r"UNIQUE constraint failed: vote\.battle|uq_vote_battle"):
            connection.execute(insert(VoteRow), _vote(clock.now, seq=2))


def test_the_schema_can_be_written_for_postgresql() -> None:
    dialect = make_url("postgresql+psycopg://").get_dialect()()
    written = "".join(str(CreateTable(table).compile(dialect=dialect)) for table in Base.metadata.sorted_tables)

    assert "STRICT" not in written
    assert re.search(r"elo_a DOUBLE PRECISION", written)
    assert re.search(r"cast_at TIMESTAMP WITH TIME ZONE NOT NULL", written)


def test_the_day_of_a_moment_can_be_asked_for_on_postgresql() -> None:
    dialect = make_url("postgresql+psycopg://").get_dialect()()

    written = str(select(DayOf(ForeignVoteRow.cast_at_us)).compile(dialect=dialect))

    assert "to_char(to_timestamp(foreign_vote.cast_at_us / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')" in written


def _lay_ground(connection: Connection, now: datetime, **values: object) -> None:
    def columns(table: str, **defaults: object) -> dict[str, object]:
        own = {name.split(".")[1]: value for name, value in values.items() if name.startswith(f"{table}.")}
        return defaults | own

    model = columns(
        "model",
        display_name="A",
        state=ModelState.ENABLED,
        fingerprint="",
        provider="p",
        vision=False,
        aliases=(),
        created_at=now,
    )
    connection.execute(insert(ModelRow), [model | {"name": name} for name in "ab"])
    tables = Base.metadata.tables
    connection.execute(insert(tables["conversation"]), {"id": "c", "owner": "o", "created_at": now})
    battle = columns("battle", kind=BattleKind.RANKED, state=BattleState.VOTED)
    battle |= {"id": "b", "conversation": "c", "ordinal": 1, "seat_a": "a", "seat_b": "b", "owner": "o"}
    stratum = {name: getattr(NO_STRATUM, name) for name in NO_STRATUM.__slots__}
    connection.execute(insert(BattleRow), battle | stratum | {"created_at": now})
    connection.execute(insert(tables["turn"]), {"battle": "b", "ordinal": 1, "prompt": "?", "created_at": now})
    reply = columns("reply", side=Side.A, status=ReplyStatus.OK, fault=None, finish_reason=None)
    reply |= {"battle": "b", "turn": 1, "attempt": 1, "text": "", "fingerprint": "", "started_at": now}
    connection.execute(insert(ReplyRow), reply | {"lease_until": now})


def _vote(now: datetime, *, seq: int = 1, verdict: Verdict = Verdict.A) -> dict[str, object]:
    stratum = {name: getattr(NO_STRATUM, name) for name in NO_STRATUM.__slots__}
    vote = {"seq": seq, "battle": "b", "voter": "o", "verdict": verdict, "seat_a": "a", "seat_b": "b"}
    return vote | stratum | {"elo_a": 1000.0, "elo_b": 1000.0, "change": 16.0, "left_out": None, "cast_at": now}
