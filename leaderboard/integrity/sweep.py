"""All checks over all votes at once, each leaving out of its reference whom the checks before it have found."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from leaderboard.integrity.alarm import find_disagreements
from leaderboard.integrity.ballots import UNKNOWN, Ballots, VoterFacts
from leaderboard.integrity.cohorts import Cohorts, find_cohorts
from leaderboard.integrity.concentration import find_concentrations
from leaderboard.integrity.findings import (
    CohortFinding,
    Findings,
    ModelAlarm,
    ReferenceVoters,
    cohort_in_words,
    describe,
    in_words,
)
from leaderboard.integrity.leaning import Spreads
from leaderboard.integrity.residuals import Peeled, peel_voters
from leaderboard.integrity.risk import Reason, Risk, Sign
from leaderboard.integrity.rules import SNAP_RISK, count_habits, judge_vote, snaps
from leaderboard.integrity.settings import Check, IntegritySettings
from leaderboard.integrity.votes import POINTS, Floats, Mask, VoteTable


def sweep(ballots: Ballots, voters: VoterFacts, *, settings: IntegritySettings | None = None) -> Findings:
    """Find out who votes oddly, and which votes to hold back for it.

    Held votes belong into the next sweep's ballots, too: every sweep decides anew, from everything. It does not know
    what an administrator has decided about a vote, which goes before. Trust makes a voter a measure for others; it is
    no immunity from the tests of voters. Without battles, voters or models nothing is found.

    Raises:
        ValueError: a ballot names a voter of whom there are no facts.
    """
    settings = settings or IntegritySettings()
    if ballots.voter.max(initial=UNKNOWN) >= len(voters):
        raise ValueError(
            f"a ballot names voter {ballots.voter.max()}, but there are facts of {len(voters)} voters only"
        )
    case = _Case(ballots, voters, settings, VoteTable.of(ballots, voters=np.ones(len(voters), np.bool_)), {})
    case.add(_by_rules(case))
    case.add(_by_concentration(case))
    reference = _reference(case)
    cohorts: tuple[CohortFinding, ...] = ()
    alarms: tuple[ModelAlarm, ...] = ()
    if reference.kind is not ReferenceVoters.NOBODY:
        peeled = peel_voters(case.votes, members=reference.members, settings=settings.of_voters)
        case.add(_by_residuals(case, peeled))
        alarms = tuple(_alarms(case, reference, peeled.spreads))
        cohorts = tuple(_cohorts(case, reference, peeled.spreads, gated=_gated(case, alarms)))
    return _findings(case, reference.kind, cohorts=cohorts, alarms=alarms)


class _Found(NamedTuple):
    voter: int
    reason: Reason


class _Reference(NamedTuple):
    kind: ReferenceVoters
    members: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """What is examined, and by voter what has been found so far."""

    ballots: Ballots
    voters: VoterFacts
    settings: IntegritySettings
    votes: VoteTable
    reasons: dict[int, list[Reason]]

    def add(self, found: Iterable[_Found]) -> None:
        for voter, reason in found:
            self.reasons.setdefault(voter, []).append(reason)

    def runs(self, check: Check) -> bool:
        return check in self.settings.checks

    @property
    def risk(self) -> Floats:
        """float64[V]."""
        risk = np.zeros(len(self.voters))
        for voter, reasons in self.reasons.items():
            risk[voter] = Risk.of(reasons).value
        return risk

    @property
    def free(self) -> Mask:
        """bool[V]: the voters whose votes are not held back."""
        return self.risk < self.settings.hold_at


def _by_rules(case: _Case) -> Iterator[_Found]:
    if case.runs(Check.RULES):
        rules = case.settings.rules
        for voter, habits in enumerate(count_habits(case.ballots, voters=len(case.voters), settings=rules)):
            yield from (_Found(voter, reason) for reason in judge_vote(habits, snap=False, settings=rules).reasons)


def _by_concentration(case: _Case) -> Iterator[_Found]:
    if not case.runs(Check.CONCENTRATION):
        return
    settings = case.settings
    found = find_concentrations(
        case.ballots, case.votes, least_votes=settings.least_votes, margin=settings.shown_margin
    )
    for voter in np.flatnonzero(found.false_share <= settings.of_voters.false_share).tolist():
        model, voted, shown = case.ballots.names[found.model[voter]], found.voted[voter], found.shown[voter]
        sentence = f"{model} takes part in {voted:.0%} of the votes, but only in {shown:.0%} of the battles shown."
        yield _Found(voter, Reason(sign=Sign.ONE_MODEL, risk=1.0 - found.false_share[voter], sentence=sentence))


def _by_residuals(case: _Case, peeled: Peeled) -> Iterator[_Found]:
    if not case.runs(Check.RESIDUALS):
        return
    for voter in np.flatnonzero(peeled.found).tolist():
        what = describe(peeled.leanings.kind[voter], peeled.leanings.shift[voter], names=case.ballots.names)
        risk = 1.0 - float(peeled.leanings.false_share[voter])
        yield _Found(voter, Reason(sign=what.sign, risk=risk, sentence=f"The votes {in_words(what)}."))


def _gated(case: _Case, alarms: Iterable[ModelAlarm]) -> Mask:
    """bool[n]: the votes that alarms hold back."""
    gated = np.zeros(len(case.ballots), np.bool_)
    for alarm in alarms:
        gated[alarm.rows] = True
    return gated


def _cohorts(case: _Case, reference: _Reference, spreads: Spreads, *, gated: Mask) -> Iterator[CohortFinding]:
    if not case.runs(Check.COHORTS):
        return
    for sign, key in ((Sign.SIGN_UP_DAY, case.voters.signed_up_day), (Sign.NETWORK, case.voters.network)):
        free = case.free
        found = find_cohorts(
            case.ballots,
            case.votes,
            key=key,
            without=gated,
            suspects=free & ~case.voters.trusted,
            members=reference.members & free,
            spreads=spreads,
            least_voters=case.settings.least_cohort,
            settings=case.settings.of_cohorts,
        )
        for number in range(found.key.size):
            finding = _cohort(case, sign, found, number)
            case.add(_Found(voter, finding.reason) for voter in finding.voters)
            yield finding


def _cohort(case: _Case, sign: Sign, found: Cohorts, number: int) -> CohortFinding:
    key, members = int(found.key[number]), np.flatnonzero(found.group_of == number)
    what = describe(found.leanings.kind[number], found.leanings.shift[number], names=case.ballots.names)
    sentence = f"{cohort_in_words(sign, key, voters=members.size)} {in_words(what)}."
    reason = Reason(sign=sign, risk=1.0 - float(found.leanings.false_share[number]), sentence=sentence)
    return CohortFinding(sign=sign, key=key, voters=tuple(members.tolist()), leaning=what, reason=reason)


def _alarms(case: _Case, reference: _Reference, spreads: Spreads) -> Iterator[ModelAlarm]:
    suspects, members = _parties(case, reference)
    if not case.runs(Check.ALARM) or not _enough(case, members):
        return
    found = find_disagreements(
        case.ballots, case.votes, suspects=suspects, members=members, spreads=spreads, settings=case.settings.of_models
    )
    who = "are not trusted" if reference.kind is ReferenceVoters.TRUSTED else "came lately"
    for each in found:
        name, points = case.ballots.names[each.model], each.shift * POINTS
        where = f"{abs(points):.0f} points {'above' if points > 0.0 else 'below'} where the others put it"
        sentence = f"Voters who {who} put {name} {where}; the votes that do so most clearly are held back."
        reason = Reason(sign=Sign.MODEL_ALARM, risk=1.0 - each.false_share, sentence=sentence)
        yield ModelAlarm(model=name, points=points, rows=each.rows, reason=reason)


def _reference(case: _Case) -> _Reference:
    free = case.free
    trusted = case.voters.trusted & free
    by_trusted = case.votes.by_voter(case.votes.ones)[trusted].sum()
    if _enough(case, trusted) and by_trusted >= case.settings.trusted_share * case.votes.row.size:
        return _Reference(ReferenceVoters.TRUSTED, trusted)
    return _Reference(ReferenceVoters.EVERYBODY if _enough(case, free) else ReferenceVoters.NOBODY, free)


def _enough(case: _Case, members: Mask) -> bool:
    """Whether these voters can be a reference."""
    cast = case.votes.by_voter(case.votes.ones)[members]
    settings = case.settings
    wanted = settings.least_reference_votes * case.votes.models
    return bool(np.count_nonzero(cast) >= settings.least_reference and cast.sum() >= wanted)


class _Parties(NamedTuple):
    suspects: Mask
    members: Mask


def _parties(case: _Case, reference: _Reference) -> _Parties:
    """Who is compared with whom: the others with the trusted, or the new with the old."""
    free, trusted = case.free, case.voters.trusted
    if reference.kind is ReferenceVoters.TRUSTED:
        return _Parties(free & ~trusted, free & trusted)
    today = case.ballots.day.max(initial=0)
    new = ~trusted & (case.voters.signed_up_day > today - case.settings.new_days)
    return _Parties(free & new, free & ~new)


def _findings(
    case: _Case, kind: ReferenceVoters, *, cohorts: tuple[CohortFinding, ...], alarms: tuple[ModelAlarm, ...]
) -> Findings:
    ballots = case.ballots
    honest = 1.0 - np.append(case.risk, 0.0)[ballots.voter]  # an erased voter is the last one
    if case.runs(Check.RULES):
        honest[snaps(ballots.decide_ms, ballots.characters, settings=case.settings.rules)] *= 1.0 - SNAP_RISK
    for alarm in alarms:
        honest[alarm.rows] *= 1.0 - alarm.reason.risk
    vote_risk = np.where(ballots.voted, 1.0 - honest, 0.0)
    return Findings(
        settings=case.settings,
        reference=kind,
        risks=MappingProxyType({voter: Risk.of(reasons) for voter, reasons in sorted(case.reasons.items())}),
        vote_risk=vote_risk,
        hold=vote_risk >= case.settings.hold_at,
        cohorts=cohorts,
        alarms=alarms,
    )
