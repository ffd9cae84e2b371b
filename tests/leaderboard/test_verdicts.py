import pytest

from leaderboard.verdicts import Verdict, score_a


@pytest.mark.parametrize(
    ("verdict", "score"), [(Verdict.A, 1.0), (Verdict.B, 0.0), (Verdict.TIE, 0.5), (Verdict.BOTH_BAD, 0.5)]
)
def test_a_verdict_scores_as_in_chatbot_arena(verdict: Verdict, score: float) -> None:
    assert score_a(verdict) == score


def test_every_verdict_has_a_score_between_0_and_1() -> None:
    assert all(0.0 <= score_a(verdict) <= 1.0 for verdict in Verdict)
