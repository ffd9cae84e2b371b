"""Budgets of tokens and money per UTC day: reserved before a model is asked, settled when its answer has ended.

A reservation is one conditional UPDATE inside the writer's transaction: requests in parallel, also those of several
processes, cannot together pass a bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from arena.errors import LimitReached
from arena.store.rows import Bounds, Spending
from arena.store.schema import table_of
from arena.store.trust_schema import BudgetRow

BUDGET = table_of(BudgetRow)
EVERYBODY = "all"

_OF_SCOPE = (BUDGET.c.scope == bindparam("of_scope"), BUDGET.c.day == bindparam("of_day"))
_KNOWN = select(BUDGET.c.scope).where(*_OF_SCOPE)
_RESERVE = (
    update(BUDGET)
    .where(
        *_OF_SCOPE,
        BUDGET.c.tokens + bindparam("more_tokens") <= bindparam("most_tokens"),
        BUDGET.c.usd + bindparam("more_usd") <= bindparam("most_usd"),
    )
    .values(tokens=BUDGET.c.tokens + bindparam("more_tokens"), usd=BUDGET.c.usd + bindparam("more_usd"))
)


def _at_least_zero(column: str) -> object:
    """Sums of money in floating point may end a hair below nothing."""
    total = BUDGET.c[column] + bindparam(f"more_{column}")
    return case((total > 0, total), else_=0)


_ADD = update(BUDGET).where(*_OF_SCOPE).values(tokens=_at_least_zero("tokens"), usd=_at_least_zero("usd"))

# What no bound reaches: the same statement serves whether there are bounds or not.
_ENDLESS_TOKENS = 2**62
_ENDLESS_USD = 1e300


@dataclass(frozen=True, slots=True)
class _Scope:
    name: str
    most_tokens: int | None
    most_usd: float | None
    words: str


def reserve(connection: Connection, owner: str, wanted: Spending, *, bounds: Bounds, now: datetime) -> None:
    """Set aside what a request may cost, for its voter and for everybody.

    Raises:
        LimitReached: a budget of the day does not hold it; nothing is set aside, and it says when to come back.
    """
    taken: list[_Scope] = []
    for scope in _scopes(owner, bounds):
        _ensure(connection, scope.name, now)
        more = _parameters(scope.name, now, wanted) | {
            "most_tokens": _ENDLESS_TOKENS if scope.most_tokens is None else scope.most_tokens,
            "most_usd": _ENDLESS_USD if scope.most_usd is None else scope.most_usd,
        }
        if connection.execute(_RESERVE, more).rowcount == 0:
            give_back = Spending(tokens=-wanted.tokens, usd=-wanted.usd)
            for other in taken:
                connection.execute(_ADD, _parameters(other.name, now, give_back))
            raise _spent(scope, now)
        taken.append(scope)


def settle(
    connection: Connection, owner: str | None, reserved: Spending, actual: Spending, *, reserved_at: datetime
) -> None:
    """Replace what was set aside by what it came to, on the day on which it was set aside."""
    difference = Spending(tokens=actual.tokens - reserved.tokens, usd=actual.usd - reserved.usd)
    scopes = [EVERYBODY] if owner is None else [EVERYBODY, _of(owner)]
    for scope in scopes:
        connection.execute(_ADD, _parameters(scope, reserved_at, difference))


def forget(connection: Connection, owner: str) -> None:
    """Forget what a voter spent; it stays in what everybody spent."""
    connection.execute(delete(BUDGET).where(BUDGET.c.scope == _of(owner)))


def spent(connection: Connection, scope: str, *, now: datetime) -> Spending:
    """What a scope has spent and reserved today."""
    row = connection.execute(
        select(BUDGET.c.tokens, BUDGET.c.usd).where(BUDGET.c.scope == scope, BUDGET.c.day == _day(now))
    ).one_or_none()
    return Spending() if row is None else Spending(tokens=row.tokens, usd=row.usd)


def _scopes(owner: str, bounds: Bounds) -> Iterator[_Scope]:
    # Always in this order, so that two transactions cannot wait for one another.
    yield _Scope(EVERYBODY, bounds.all_tokens, bounds.all_usd, "The arena has used up what it may spend today.")
    yield _Scope(_of(owner), bounds.voter_tokens, bounds.voter_usd, "You have used up what one voter may spend a day.")


def _of(owner: str) -> str:
    return f"voter:{owner}"


def _ensure(connection: Connection, scope: str, now: datetime) -> None:
    key = {"of_scope": scope, "of_day": _day(now)}
    if connection.execute(_KNOWN, key).one_or_none() is None:
        row = {"scope": scope, "day": _day(now), "tokens": 0, "usd": 0.0}
        connection.execute(insert(BUDGET), row)


def _parameters(scope: str, at: datetime, more: Spending) -> dict[str, object]:
    return {"of_scope": scope, "of_day": _day(at), "more_tokens": more.tokens, "more_usd": more.usd}


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _spent(scope: _Scope, now: datetime) -> LimitReached:
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    seconds = max(1, round((midnight - now).total_seconds()))
    return LimitReached(f"{scope.words} Come back after midnight UTC.", retry_after_seconds=seconds)
