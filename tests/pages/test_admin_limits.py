"""What the administrator reads about the limits while Redis is away."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from admin_limits import how_counted
from arena.administration import Usage
from arena.rate_limits import Outage, Rates
from arena.settings_tables import Budgets
from arena.store import Spending

SHARED = Usage(
    rates=Rates(), rates_are_shared=True, rates_outage=None, budgets=Budgets(), spent=Spending(tokens=0, usd=0.0)
)


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (SHARED, "All processes count together"),
        (replace(SHARED, rates_are_shared=False), "set `redis_url`"),
        (
            replace(SHARED, rates_outage=Outage(datetime(2026, 11, 22, 14, 3, tzinfo=UTC), 1)),
            "since 2026-11-22 14:03 UTC: each process counts for itself (1 act here)",
        ),
    ],
)
def test_the_page_says_who_counts_at_this_moment(usage: Usage, said: str) -> None:
    assert said in how_counted(usage)
