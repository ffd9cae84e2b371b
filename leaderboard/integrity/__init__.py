"""Who votes oddly, and what it does to the board: pure functions over votes as columns.

`judge_vote` looks at one vote as it is cast, `sweep` at all of them every now and then; `votes_to_flip` says how few
votes hold the first place. What leaving votes out does to the order is told by `leaderboard.fairness.board_effect`.
`paper_test` and `fastchat_test` stand here for comparison.
"""

from leaderboard.integrity.ballots import UNKNOWN, Ballots, VoterFacts
from leaderboard.integrity.findings import CohortFinding, Findings, Leaning, ModelAlarm, ReferenceVoters
from leaderboard.integrity.fragility import Flip, votes_to_flip
from leaderboard.integrity.published import fastchat_test, paper_test
from leaderboard.integrity.risk import Reason, Risk, Sign
from leaderboard.integrity.rules import Habits, RuleSettings, count_habits, is_snap, judge_vote, prompt_key
from leaderboard.integrity.settings import Check, IntegritySettings
from leaderboard.integrity.sweep import sweep

__all__ = [
    "UNKNOWN",
    "Ballots",
    "Check",
    "CohortFinding",
    "Findings",
    "Flip",
    "Habits",
    "IntegritySettings",
    "Leaning",
    "ModelAlarm",
    "Reason",
    "ReferenceVoters",
    "Risk",
    "RuleSettings",
    "Sign",
    "VoterFacts",
    "count_habits",
    "fastchat_test",
    "is_snap",
    "judge_vote",
    "paper_test",
    "prompt_key",
    "sweep",
    "votes_to_flip",
]
