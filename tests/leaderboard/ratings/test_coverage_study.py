"""Do 95 % intervals hold the truth 95 % of the time? Worlds with known strengths answer.

Strengths are normal with a standard deviation of 100 points, pairs uniform, 27 % ties, and the expected score of every
vote exactly Bradley-Terry's. The band of 92 to 98 % holds from 15 votes on; plain maximum likelihood with a sandwich
covers 50 % there.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest

from leaderboard.games import PairCounts
from leaderboard.method import Evidence
from leaderboard.ratings import BradleyTerrySettings, Interval, rate_bradley_terry

POINTS = 400.0 / math.log(10.0)
TIES = 0.27
BOARDS = [(6, 15), (6, 30), (6, 60), (6, 300), (20, 10_000)]


class World(NamedTuple):
    truth: np.ndarray
    counts: PairCounts


def _world(rng: np.random.Generator, *, models: int, votes: int) -> World:
    truth = rng.normal(0.0, 100.0, models)
    a = rng.integers(models, size=votes)
    b = (a + rng.integers(1, models, size=votes)) % models
    chance = 1.0 / (1.0 + np.exp((truth[b] - truth[a]) / POINTS))
    tie = np.minimum(TIES, 2.0 * np.minimum(chance, 1.0 - chance))
    draw = rng.random(votes)
    won, lost = draw < chance - tie / 2.0, draw >= chance + tie / 2.0
    tied = ~(won | lost)
    wins, ties = (np.zeros((models, models), dtype=np.int64) for _ in range(2))
    for better, worse, of, into in ((a, b, won, wins), (b, a, lost, wins), (a, b, tied, ties), (b, a, tied, ties)):
        np.add.at(into, (better[of], worse[of]), 1)
    names = tuple(f"m{i}" for i in range(models))
    return World(truth - truth.mean(), PairCounts(names=names, wins=wins, ties=ties, both_bad=np.zeros_like(ties)))


def _coverage(*, models: int, votes: int, boards: int, settings: BradleyTerrySettings, seed: int = 5) -> float:
    rng = np.random.default_rng(seed)
    hits = []
    for _ in range(boards):
        world = _world(rng, models=models, votes=votes)
        estimate = rate_bradley_terry(Evidence(counts=world.counts), settings=settings).estimate
        truth = settings.start + world.truth
        hits.append(((estimate.lower <= truth) & (truth <= estimate.upper)).mean())
    return float(np.mean(hits))


def _boards(models: int) -> int:
    """Every board gives one answer per model, and a large one takes longer."""
    return 6000 // models


@pytest.mark.parametrize(("models", "votes"), BOARDS)
def test_intervals_cover_what_they_promise(models: int, votes: int) -> None:
    coverage = _coverage(models=models, votes=votes, boards=200, settings=BradleyTerrySettings())

    assert 0.92 <= coverage <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("interval", Interval)
@pytest.mark.parametrize(("models", "votes"), BOARDS)
def test_every_kind_of_interval_covers_what_it_promises_on_many_boards(
    models: int, votes: int, interval: Interval
) -> None:
    settings = BradleyTerrySettings(interval=interval, rounds=300)

    coverage = _coverage(models=models, votes=votes, boards=_boards(models), settings=settings)

    assert 0.92 <= coverage <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.5, 0.8, 0.99])
def test_other_levels_are_kept_too(level: float) -> None:
    coverage = _coverage(models=6, votes=300, boards=1000, settings=BradleyTerrySettings(level=level))

    assert coverage == pytest.approx(level, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("models", "votes"), BOARDS)
def test_intervals_of_differences_cover_what_they_promise(models: int, votes: int) -> None:
    rng = np.random.default_rng(7)
    hits = []
    for _ in range(_boards(models)):
        world = _world(rng, models=models, votes=votes)
        gap = rate_bradley_terry(Evidence(counts=world.counts)).estimate.difference("m0", "m1")
        hits.append(gap.lower <= world.truth[0] - world.truth[1] <= gap.upper)

    assert 0.92 <= float(np.mean(hits)) <= 0.985
