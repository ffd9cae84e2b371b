"""How often guards did something, and the chores that one process does for all."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from arena.store.schema import table_of
from arena.store.trust_schema import CounterRow, LeaseRow

COUNTER, LEASE = table_of(CounterRow), table_of(LeaseRow)
_KEY = (COUNTER.c.name == bindparam("of_name"), COUNTER.c.model == bindparam("of_model"))
_KEY_OF_DAY = (*_KEY, COUNTER.c.day == bindparam("of_day"))
_ADD = update(COUNTER).where(*_KEY_OF_DAY).values(n=COUNTER.c.n + bindparam("more"))


def count(connection: Connection, name: str, *, model: str = "", more: int = 1, now: datetime) -> None:
    """Add to a counter of today."""
    day = now.astimezone(UTC).date().isoformat()
    key = {"of_name": name, "of_model": model, "of_day": day, "more": more}
    if connection.execute(_ADD, key).rowcount == 0:
        connection.execute(insert(COUNTER), {"name": name, "model": model, "day": day, "n": more})


def counts(connection: Connection, *, since: date | None = None) -> Mapping[str, int]:
    """The sum of each counter over all models, from a UTC day on."""
    statement = select(COUNTER.c.name, func.sum(COUNTER.c.n).label("n")).group_by(COUNTER.c.name)
    if since is not None:
        statement = statement.where(COUNTER.c.day >= since.isoformat())
    return {row.name: int(row.n) for row in connection.execute(statement.order_by(COUNTER.c.name))}


def keep_lease(connection: Connection, chore: str, *, holder: str, until: datetime) -> bool:
    """Whether `holder` still has what it took; nobody else then takes it until that moment."""
    mine = (LEASE.c.chore == chore, LEASE.c.holder == holder)
    return connection.execute(update(LEASE).where(*mine).values(until=until)).rowcount > 0


def end_lease(connection: Connection, chore: str) -> None:
    """Let anybody take it."""
    connection.execute(delete(LEASE).where(LEASE.c.chore == chore))


def forget_leases(connection: Connection) -> None:
    """End them all, where no other process can be at work."""
    connection.execute(delete(LEASE))


def leased(connection: Connection, *, now: datetime) -> frozenset[str]:
    """The chores that somebody does at this moment."""
    return frozenset(connection.scalars(select(LEASE.c.chore).where(LEASE.c.until > now)))


def take_lease(connection: Connection, chore: str, *, holder: str, now: datetime, until: datetime) -> bool:
    """Whether `holder` does a chore until then: nobody has it, whoever had it let it lapse, or it is the same one.

    A lease that ends later than clocks explain (this one stepped back) holds nobody up.
    """
    row = connection.execute(select(*LEASE.c).where(LEASE.c.chore == chore).with_for_update()).one_or_none()
    if row is None:
        connection.execute(insert(LEASE), {"chore": chore, "holder": holder, "until": until})
        return True
    if row.holder != holder and now < row.until <= now + 2 * (until - now):
        return False
    connection.execute(update(LEASE).where(LEASE.c.chore == chore), {"holder": holder, "until": until})
    return True
