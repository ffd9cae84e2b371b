"""Simulated arenas: honest voters with personal taste, and the attackers who are after one model.

An honest world has 20 models whose strengths scatter by 100 points and 300 voters who cast about 8,000 votes: a few
cast hundreds, most a dozen. Each voter has a taste of his own for every model (50 points), sees quality more or less
clearly (20 %), leans to a side (0.1 in log-odds), ties as readily as he likes (27 % on average), votes in 73 % of the
battles he sees, and first came on one of 30 days. Attackers tell a model by its answer 95 % of the time and take it for
any other one else. Like honest people they wait before they vote, and they do not repeat their prompts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaderboard import VERDICTS, Evidence, Games, PairCounts, Verdict, rate_bradley_terry
from leaderboard.integrity import UNKNOWN, Ballots, VoterFacts

POINTS = 400.0 / math.log(10.0)
TARGET_RANK = 10

_A, _B, _TIE, _BOTH_BAD = (VERDICTS.index(verdict) for verdict in (Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD))
_DAY_US = 86_400_000_000
_FIRST_DAY = 20_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Attack(StrEnum):
    """What attackers do; the first four want the target to rise."""

    TARGET_ONLY = "target-only"
    """For the target where it takes part; leaves all other battles without a vote."""
    FOLLOWS = "follows ranking"
    """For the target, and else for whoever the public board ranks higher."""
    FOLLOWS_LOOSELY = "follows loosely"
    """For the target, and else what an average honest voter would say by the public board."""
    OMNIPRESENT = "omnipresent"
    """For the target, and else against whoever stands above it."""
    ALWAYS_LEFT = "always left"
    RANDOM = "random clicker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """The honest part of a world; scatters are standard deviations in points, where nothing else is said.

    `community` is the share of voters who rank the models by strengths of their own, `apart` points away from the
    others', and who first came in one week.
    """

    models: int = 20
    voters: int = 300
    votes_each: float = 26.7
    strengths: float = 100.0
    taste: float = 50.0
    heavy_tails: bool = False
    community: float = 0.0
    apart: float = 75.0
    days: int = 30
    trusted: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An attack: `share` of all votes, so many from each account; `sign_up_days` None spreads the accounts evenly."""

    attack: Attack
    share: float
    votes_each: int = 50
    sign_up_days: int | None = None
    accuracy: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """Ballots with what only a simulation knows: who attacks, for which model, and the board of honest votes."""

    ballots: Ballots
    facts: VoterFacts
    attackers: NDArray[np.bool_]
    target: int
    rank: int
    accounts: int

    @property
    def by_attackers(self) -> NDArray[np.bool_]:
        """bool[n]: votes of attackers."""
        return self.attackers[self.ballots.voter] & self.ballots.voted

    def climb(self, without: NDArray[np.bool_]) -> int:
        """How many places the target stands above its rank on the honest board, without some of the votes."""
        points = board(self.ballots, ~without)
        return self.rank - 1 - int((points > points[self.target]).sum())


class _Battles(NamedTuple):
    """Columns of equal length; `verdict` is `UNKNOWN` where there was no vote."""

    voter: Ints
    seat_a: Ints
    seat_b: Ints
    verdict: Ints
    day: Ints


class _People(NamedTuple):
    battles: _Battles
    signed_up: Ints


def honest_world(seed: int, *, crowd: Crowd | None = None) -> World:
    """Nobody attacks; the target is whoever stands at rank 10 (or last, with fewer models)."""
    crowd = crowd or Crowd()
    rng = np.random.default_rng(seed)
    people = _crowd(rng, crowd)
    return _world(rng, crowd, people, standing=_standing(people.battles, crowd))


def attacked_world(seed: int, plan: Plan, *, crowd: Crowd | None = None) -> World:
    """The honest people of the same seed, and those who attack the model at their rank 10."""
    crowd = crowd or Crowd()
    rng = np.random.default_rng(seed)
    people = _crowd(rng, crowd)
    standing = _standing(people.battles, crowd)
    honest_votes = int((people.battles.verdict != UNKNOWN).sum())
    accounts = round(plan.share / (1.0 - plan.share) * honest_votes / plan.votes_each)
    crew = _crew(np.random.default_rng([seed, 1]), plan, crowd, standing=standing, accounts=accounts)
    both = _Battles(*(np.concatenate(columns) for columns in zip(people.battles, crew.battles, strict=True)))
    together = _People(both, np.concatenate([people.signed_up, crew.signed_up]))
    return _world(rng, crowd, together, standing=standing)


def large_world(seed: int, *, votes: int, models: int) -> World:
    """A year of an arena whose voters cast 50 votes each; 2 % of the votes are for the target only."""
    crowd = Crowd(models=models, voters=max(1, votes // 50), votes_each=50.0, days=365)
    return attacked_world(seed, Plan(attack=Attack.TARGET_ONLY, share=0.02), crowd=crowd)


def board(ballots: Ballots, rows: NDArray[np.bool_]) -> Floats:
    """Bradley-Terry ratings of some rows."""
    return rate_bradley_terry(Evidence(counts=PairCounts.from_games(ballots.games(rows)))).estimate.points


class _Standing(NamedTuple):
    """The honest board, its model at rank 10, and that rank."""

    points: Floats
    target: int
    rank: int


def _standing(battles: _Battles, crowd: Crowd) -> _Standing:
    voted = battles.verdict != UNKNOWN
    games = Games(
        names=_names(crowd), seat_a=battles.seat_a[voted], seat_b=battles.seat_b[voted], verdicts=battles.verdict[voted]
    )
    points = rate_bradley_terry(Evidence(counts=PairCounts.from_games(games))).estimate.points
    rank = min(TARGET_RANK, crowd.models)
    return _Standing(points, int(np.argsort(-points)[rank - 1]), rank)


def _names(crowd: Crowd) -> tuple[str, ...]:
    return tuple(f"model-{number:02}" for number in range(crowd.models))


def _crowd(rng: np.random.Generator, crowd: Crowd) -> _People:
    voters, models = crowd.voters, crowd.models
    votes = np.maximum(1, np.rint(rng.lognormal(-0.5, 1.0, voters) * crowd.votes_each)).astype(np.int64)
    battles = votes + rng.negative_binomial(votes, rng.beta(8.0, 3.0, voters))
    voter = np.repeat(np.arange(voters), battles)
    seat_a, seat_b = _pairs(rng, voter.size, models)
    signed_up = rng.integers(crowd.days, size=voters)
    opinion = _opinions(rng, crowd, signed_up)
    clarity = np.exp(rng.normal(0.0, 0.2, voters))
    side, ties = rng.normal(0.0, 0.1, voters), rng.beta(2.7, 7.3, voters)
    logit = clarity[voter] * (opinion[voter, seat_a] - opinion[voter, seat_b]) + side[voter]
    verdict = np.where(_first(rng, voter, battles, votes), _said(rng, logit, ties[voter]), UNKNOWN)
    day = signed_up[voter] + (rng.random(voter.size) * (crowd.days - signed_up[voter])).astype(np.int64)
    return _People(_Battles(voter, seat_a, seat_b, verdict, day), signed_up)


def _opinions(rng: np.random.Generator, crowd: Crowd, signed_up: Ints) -> Floats:
    """float64[voters, models]: what each voter thinks of each model, in log-odds; a community moves to its week."""
    size = (crowd.voters, crowd.models)
    strengths = rng.normal(0.0, crowd.strengths, crowd.models)
    taste = rng.standard_t(4.0, size) / math.sqrt(2.0) if crowd.heavy_tails else rng.normal(size=size)
    opinion = strengths + crowd.taste * taste
    members = int(crowd.community * crowd.voters)
    opinion[:members] += rng.normal(0.0, crowd.apart, crowd.models)
    signed_up[:members] = crowd.days // 2 + rng.integers(7, size=members)
    return opinion / POINTS


def _first(rng: np.random.Generator, voter: Ints, battles: Ints, votes: Ints) -> NDArray[np.bool_]:
    """Which battles end with a vote: as many of each voter as he votes, at random."""
    order = np.lexsort((rng.random(voter.size), voter))
    place = np.empty(voter.size, np.int64)
    place[order] = np.arange(voter.size) - np.repeat(np.cumsum(battles) - battles, battles)
    return place < votes[voter]


def _pairs(rng: np.random.Generator, size: int, models: int) -> tuple[Ints, Ints]:
    seat_a = rng.integers(models, size=size)
    return seat_a, (seat_a + rng.integers(1, models, size=size)) % models


def _said(rng: np.random.Generator, logit: Floats, ties: Floats) -> Ints:
    """Verdicts whose expected score is the logit's probability, so readily tied."""
    chance = 1.0 / (1.0 + np.exp(-logit))
    tie = np.minimum(ties, 2.0 * np.minimum(chance, 1.0 - chance))
    draw = rng.random(logit.size)
    tied = np.where(rng.random(logit.size) < 0.5, _TIE, _BOTH_BAD)
    return np.where(draw < chance - tie / 2.0, _A, np.where(draw >= chance + tie / 2.0, _B, tied))


def _crew(rng: np.random.Generator, plan: Plan, crowd: Crowd, *, standing: _Standing, accounts: int) -> _People:
    days = np.arange(crowd.days)
    if plan.sign_up_days is not None:
        days = rng.choice(crowd.days - 1, plan.sign_up_days, replace=False)
    signed_up = rng.choice(days, accounts)
    rows = []
    for account, day in enumerate(signed_up.tolist()):
        last = crowd.days if plan.sign_up_days is None else day + 2
        rows.append(_campaign(rng, plan, crowd, standing=standing, voter=crowd.voters + account, days=(day, last)))
    return _People(_Battles(*(np.concatenate(columns) for columns in zip(*rows, strict=True))), signed_up)


def _campaign(
    rng: np.random.Generator, plan: Plan, crowd: Crowd, *, standing: _Standing, voter: int, days: tuple[int, int]
) -> _Battles:
    """One account's battles up to its last vote."""
    seats = _pairs(rng, plan.votes_each * crowd.models, crowd.models)  # twice as many as he needs on average
    seen_a, seen_b = (_identified(rng, seat, plan.accuracy, crowd.models) for seat in seats)
    verdict = _VERDICTS[plan.attack](rng, _Scene(seen_a, seen_b, standing.points, standing.target))
    enough = int(np.searchsorted(np.cumsum(verdict != UNKNOWN), plan.votes_each)) + 1
    day = days[0] + (rng.random(verdict.size) * (days[1] - days[0])).astype(np.int64)
    everything = _Battles(np.full(verdict.size, voter), *seats, verdict, day)
    return _Battles(*(column[:enough] for column in everything))


def _identified(rng: np.random.Generator, seat: Ints, accuracy: float, models: int) -> Ints:
    other = (seat + rng.integers(1, models, size=seat.size)) % models
    return np.where(rng.random(seat.size) < accuracy, seat, other)


class _Scene(NamedTuple):
    """Whom the attacker believes to see, and the public board."""

    seen_a: Ints
    seen_b: Ints
    points: Floats
    target: int

    @property
    def lead(self) -> Floats:
        return self.points[self.seen_a] - self.points[self.seen_b]

    def for_target(self, otherwise: Ints) -> Ints:
        for_a, for_b = self.seen_a == self.target, self.seen_b == self.target
        return np.where(for_a & ~for_b, _A, np.where(for_b & ~for_a, _B, otherwise))


def _target_only(rng: np.random.Generator, scene: _Scene) -> Ints:
    del rng
    return scene.for_target(np.full(scene.seen_a.size, UNKNOWN))


def _follows(rng: np.random.Generator, scene: _Scene) -> Ints:
    del rng
    return scene.for_target(np.where(scene.lead >= 0.0, _A, _B))


def _follows_loosely(rng: np.random.Generator, scene: _Scene) -> Ints:
    return scene.for_target(_said(rng, scene.lead / POINTS, np.full(scene.lead.size, 0.27)))


def _omnipresent(rng: np.random.Generator, scene: _Scene) -> Ints:
    """Two rivals above the target: against the lower one, who is nearer; two below it: for the higher one."""
    del rng
    mark = scene.points[scene.target]
    above_a, above_b = scene.points[scene.seen_a] > mark, scene.points[scene.seen_b] > mark
    alike = np.where(scene.lead >= 0.0, _A, _B)
    return scene.for_target(np.where(above_a & ~above_b, _B, np.where(above_b & ~above_a, _A, alike)))


def _always_left(rng: np.random.Generator, scene: _Scene) -> Ints:
    del rng
    return np.full(scene.seen_a.size, _A)


def _random(rng: np.random.Generator, scene: _Scene) -> Ints:
    return rng.integers(len(VERDICTS), size=scene.seen_a.size)


_VERDICTS: dict[Attack, Callable[[np.random.Generator, _Scene], Ints]] = {
    Attack.TARGET_ONLY: _target_only,
    Attack.FOLLOWS: _follows,
    Attack.FOLLOWS_LOOSELY: _follows_loosely,
    Attack.OMNIPRESENT: _omnipresent,
    Attack.ALWAYS_LEFT: _always_left,
    Attack.RANDOM: _random,
}


def _world(rng: np.random.Generator, crowd: Crowd, people: _People, *, standing: _Standing) -> World:
    battles = people.battles
    rows = battles.day.size
    at_us = (_FIRST_DAY + battles.day) * _DAY_US + rng.integers(_DAY_US, size=rows)
    order = np.argsort(at_us, kind="stable")
    ballots = Ballots(
        names=_names(crowd),
        voter=battles.voter[order],
        seat_a=battles.seat_a[order],
        seat_b=battles.seat_b[order],
        verdicts=battles.verdict[order],
        at_us=at_us[order],
        decide_ms=(1000.0 * rng.lognormal(math.log(15.0), 0.8, rows)).astype(np.int64),
        characters=rng.lognormal(math.log(2500.0), 0.7, rows).astype(np.int64),
        prompt=np.arange(rows),
    )
    voters = people.signed_up.size
    attacking = np.arange(voters) >= crowd.voters
    facts = VoterFacts(
        signed_up_day=_FIRST_DAY + people.signed_up,
        network=np.where(rng.random(voters) < 0.1, rng.integers(10, size=voters), 10 + np.arange(voters)),
        trusted=(rng.random(voters) < crowd.trusted) & ~attacking,
    )
    return World(
        ballots=ballots,
        facts=facts,
        attackers=attacking,
        target=standing.target,
        rank=standing.rank,
        accounts=voters - crowd.voters,
    )
