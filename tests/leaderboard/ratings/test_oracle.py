"""Other people's code on the same votes: evalica, which only the tests need."""

import evalica
import numpy as np
import pytest

from leaderboard.games import VERDICTS, Game, Games, PairCounts
from leaderboard.method import Evidence
from leaderboard.ratings import (
    BradleyTerrySettings,
    DavidsonSettings,
    EloSettings,
    fold_elo,
    rate_bradley_terry,
    rate_davidson,
)
from leaderboard.verdicts import Verdict

WORDS = {
    Verdict.A: evalica.Winner.X,
    Verdict.B: evalica.Winner.Y,
    Verdict.TIE: evalica.Winner.Draw,
    Verdict.BOTH_BAD: evalica.Winner.Draw,
}


def _columns(games: Games) -> tuple[list[str], list[str], list[evalica.Winner]]:
    return (
        [games.names[seat] for seat in games.seat_a],
        [games.names[seat] for seat in games.seat_b],
        [WORDS[VERDICTS[code]] for code in games.verdicts],
    )


@pytest.mark.parametrize("k", [4.0, 32.0])
def test_elo_is_evalicas_to_a_millionth_of_a_point(llmfao_votes: list[Game], k: float) -> None:
    games = Games.from_votes(llmfao_votes)

    ours = fold_elo(games, settings=EloSettings(k=k)).ratings

    theirs = evalica.elo(*_columns(games), k=k).scores
    assert dict(ours) == pytest.approx(theirs.to_dict(), abs=1e-6)


def test_bradley_terry_is_evalicas_to_a_hundredth_of_a_point(llmfao_votes: list[Game]) -> None:
    games = Games.from_votes(llmfao_votes)

    ours = rate_bradley_terry(Evidence.from_games(games), settings=BradleyTerrySettings(prior=0.0)).ratings

    theirs = evalica.bradley_terry(*_columns(games), tolerance=1e-12, limit=100_000).scores
    assert _centred(ours.values()) == pytest.approx(_points(theirs[list(ours)].to_numpy()), abs=0.01)


def test_bradley_terry_of_the_whole_arena_is_evalicas(arena_counts: PairCounts) -> None:
    ours = rate_bradley_terry(Evidence(counts=arena_counts), settings=BradleyTerrySettings(prior=0.0)).ratings

    xs, ys, winners, weights = _cells(arena_counts)
    theirs = evalica.bradley_terry(xs, ys, winners, weights=weights, tolerance=1e-12, limit=100_000).scores
    assert _centred(ours.values()) == pytest.approx(_points(theirs[list(ours)].to_numpy()), abs=0.01)


def test_davidson_is_evalicas_newman(llmfao_votes: list[Game]) -> None:
    games = Games.from_votes(llmfao_votes)

    ours = rate_davidson(Evidence.from_games(games), settings=DavidsonSettings(prior=0.0))

    theirs = evalica.newman(*_columns(games), tolerance=1e-12, limit=100_000)
    assert ours.tie == pytest.approx(theirs.v, abs=1e-6)
    expected = _points(theirs.scores[list(ours.ratings)].to_numpy())
    assert _centred(ours.ratings.values()) == pytest.approx(expected, abs=0.01)


def _cells(counts: PairCounts) -> tuple[list[str], list[str], list[evalica.Winner], list[float]]:
    """One weighted row per pair and outcome."""
    drawn = np.triu(counts.ties + counts.both_bad)
    rows = [(i, j, evalica.Winner.X, counts.wins[i, j]) for i, j in np.argwhere(counts.wins)]
    rows += [(i, j, evalica.Winner.Draw, drawn[i, j]) for i, j in np.argwhere(drawn)]
    names = counts.names
    return (
        [names[i] for i, _, _, _ in rows],
        [names[j] for _, j, _, _ in rows],
        [winner for _, _, winner, _ in rows],
        [float(n) for _, _, _, n in rows],
    )


def _points(strengths: np.ndarray) -> np.ndarray:
    return _centred(400.0 * np.log10(strengths))


def _centred(points: object) -> np.ndarray:
    values = np.array(list(points))  # type: ignore[call-overload]
    return np.asarray(values - values.mean())
