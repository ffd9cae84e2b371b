"""Bringing the catalogue's models into the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, or_, select, update

from arena.domain import ModelSpec, ModelState
from arena.errors import ModelChanged
from arena.store.audit import record
from arena.store.board import bump_board, lock_board
from arena.store.model_settings import decided
from arena.store.schema import ModelRow, RatingRow, VoteRow

# What readers of the board see. Addresses, key variables and system prompts stay in the catalogue.
PUBLIC = (
    "display_name",
    "provider",
    "organisation",
    "licence",
    "link",
    "parameters",
    "context_tokens",
    "knowledge_cutoff",
    "price_in",
    "price_out",
    "vision",
    "aliases",
    "state",
)


CATALOGUE = "arena.toml"  # who did it, for the audit log


def sync_models(connection: Connection, specs: Sequence[ModelSpec], *, now: datetime) -> None:
    """Insert, update and retire; the board's version moves only when something did.

    Who comes, goes or changes state stands in the audit log.
    What an administrator decided about a model stands above its spec.
    """
    board = lock_board(connection)
    specs = decided(connection, specs)
    known = {row.name: row for row in connection.execute(select(*ModelRow.__table__.c))}
    _refuse_changed(connection, specs, known)
    changes = {spec.name: values for spec in specs if (values := _values(spec)) != _stored(known.get(spec.name))}
    gone = [row for name, row in known.items() if name not in {spec.name for spec in specs}]
    retiring = [row.name for row in gone if row.state is not ModelState.RETIRED]
    for name, values in changes.items():
        _write(connection, name, values, known.get(name), now=now)
        _note(connection, name, known.get(name), values["state"], now=now)
        if name not in known:
            connection.execute(insert(RatingRow).values(model=name, elo=board.elo.start))
    if retiring:
        statement = update(ModelRow).where(ModelRow.name.in_(retiring))
        connection.execute(statement.values(state=ModelState.RETIRED, retired_at=now))
    for name in retiring:
        _note(connection, name, known[name], ModelState.RETIRED, now=now)
    if changes or retiring:
        bump_board(connection, board)


def _refuse_changed(connection: Connection, specs: Sequence[ModelSpec], known: dict[str, Row[Any]]) -> None:
    for spec in specs:
        stored = known.get(spec.name)
        if stored is None or stored.fingerprint == spec.fingerprint:
            continue
        if connection.scalar(select(exists().where(or_(VoteRow.seat_a == spec.name, VoteRow.seat_b == spec.name)))):
            raise ModelChanged(
                f"The model {spec.name!r} has votes, but its upstream id, system prompt or sampling changed: "
                f"give the changed model a new name, or restore the old settings of {spec.name!r}."
            )


def _values(spec: ModelSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in PUBLIC} | {"fingerprint": spec.fingerprint}


def _stored(row: Row[Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: getattr(row, name) for name in (*PUBLIC, "fingerprint")}


def _write(
    connection: Connection, name: str, values: dict[str, Any], stored: Row[Any] | None, *, now: datetime
) -> None:
    retired_at = None
    if values["state"] is ModelState.RETIRED:
        retired_at = now if stored is None else stored.retired_at or now
    if stored is None:
        connection.execute(insert(ModelRow).values(name=name, created_at=now, retired_at=retired_at, **values))
    else:
        statement = update(ModelRow).where(ModelRow.name == name)
        connection.execute(statement.values(retired_at=retired_at, **values))


def _note(connection: Connection, name: str, stored: Row[Any] | None, state: ModelState, *, now: datetime) -> None:
    if stored is None:
        record(connection, actor=CATALOGUE, action="model added", target=name, after=state.value, now=now)
    elif stored.state is not state:
        before, after = stored.state.value, state.value
        record(connection, actor=CATALOGUE, action=f"model {after}", target=name, before=before, after=after, now=now)
