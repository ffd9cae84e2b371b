import csv
from pathlib import Path

import pytest
from hypothesis import settings

from leaderboard.games import Game, PairCounts, Tally
from leaderboard.verdicts import Verdict

# An example may wait for a busy machine.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

DATA = Path(__file__).parents[1] / "data"
LLMFAO_WORDS = {"model_a": Verdict.A, "model_b": Verdict.B, "tie": Verdict.TIE}
ARENA_COLUMNS = {
    "a_wins": Verdict.A,
    "b_wins": Verdict.B,
    "ties": Verdict.TIE,
    "both_bad": Verdict.BOTH_BAD,
}


@pytest.fixture(scope="session")
def llmfao_votes() -> list[Game]:
    """8,931 real votes on 59 models, in the order they were cast."""
    with (DATA / "llmfao_votes.csv").open(encoding="utf-8", newline="") as file:
        return [Game(row["model_a"], row["model_b"], LLMFAO_WORDS[row["winner"]]) for row in csv.DictReader(file)]


@pytest.fixture(scope="session")
def arena_counts() -> PairCounts:
    """1,670,250 real battles of 129 models, as counts of pairs."""
    with (DATA / "chatbot_arena_20240814_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("model_a", "model_b")})
    tallies = (
        Tally(row["model_a"], row["model_b"], verdict, int(row[column]))
        for row in rows
        for column, verdict in ARENA_COLUMNS.items()
    )
    return PairCounts.from_tallies(names, tallies)
