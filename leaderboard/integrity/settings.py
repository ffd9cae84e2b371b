"""What the sweep is told: which checks run, and where each draws its line."""

from dataclasses import dataclass, field
from enum import StrEnum

from leaderboard.integrity.residuals import PeelSettings
from leaderboard.integrity.rules import RuleSettings
from leaderboard.integrity.votes import POINTS


class Check(StrEnum):
    """The parts of a sweep."""

    RULES = "rules"
    CONCENTRATION = "concentration"
    RESIDUALS = "residuals"
    COHORTS = "cohorts"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegritySettings:
    """Where the lines are drawn.

    Args:
        hold_at: a vote with this risk or more is held back. For the tests of voters, risk is 1 minus the share of wrong
            findings among all as clear, so that at 0.9 at most one in ten of those who are held is held wrongly.
        cohort_at: the same for cohorts, where a wrong finding costs more.
        alarm_at: the same for models, where it costs most.
        checks: which parts run.
        rules: when a habit is odd.
        least_votes: with fewer votes, on a model or in all, a voter is not tested.
        shown_margin: a voter may meet a model so many times as often as others, for reasons that are not his.
        cap: a voter's votes on one model weigh as much as so many in the reference, at most.
        least_cohort: smaller cohorts are no cohorts.
        least_cohort_votes: with fewer votes, on a model or in all, a cohort is not tested.
        between_groups: how far honest groups scatter, in points, beyond what their members explain.
        least_shift: groups that lean by less, in points, are left alone.
        trusted_share: trusted voters are the reference when they cast this share of all votes,
        least_reference: are so many,
        least_reference_votes: and cast so many votes per model; else everybody is, and failing the same nobody.
        new_days: without a trusted reference, whoever came in the last so many days is compared with the others.
    """

    hold_at: float = 0.9
    cohort_at: float = 0.95
    alarm_at: float = 0.99
    checks: frozenset[Check] = frozenset(Check)
    rules: RuleSettings = field(default_factory=RuleSettings)
    least_votes: int = 5
    shown_margin: float = 1.5
    cap: float = 4.0
    least_cohort: int = 3
    least_cohort_votes: int = 10
    between_groups: float = 20.0
    least_shift: float = 30.0
    trusted_share: float = 0.1
    least_reference: int = 10
    least_reference_votes: int = 10
    new_days: int = 7

    @property
    def of_voters(self) -> PeelSettings:
        """How to peel voters."""
        return PeelSettings(cap=self.cap, least_votes=self.least_votes, false_share=1.0 - self.hold_at)

    @property
    def of_cohorts(self) -> PeelSettings:
        """How to test cohorts."""
        return self._of_groups(1.0 - self.cohort_at)

    @property
    def of_models(self) -> PeelSettings:
        """How to test models."""
        return self._of_groups(1.0 - self.alarm_at)

    def _of_groups(self, false_share: float) -> PeelSettings:
        return PeelSettings(
            cap=self.cap,
            least_votes=self.least_cohort_votes,
            false_share=false_share,
            between_groups=self.between_groups / POINTS,
            least_shift=self.least_shift / POINTS,
        )
