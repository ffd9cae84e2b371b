"""Other people's packages on the same votes, as far as they are installed; each is imported when it is asked."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leaderboard import GameStyles

BOOTSTRAPS = 100
POINTS = 400.0 / math.log(10.0)
WORDS = np.array(["model_a", "model_b", "tie", "tie (bothbad)"])


class Votes(NamedTuple):
    """A table of strings, as a user has it, and the style counts of both sides."""

    frame: pd.DataFrame
    styles: GameStyles


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another package: `rate` gives points by model; `rounds` times as long is what an interval takes."""

    package: str
    rate: Callable[[Votes], pd.Series]
    rounds: int = 1
    note: str = ""


def installed_peers(kind: str) -> dict[str, Peer]:
    """The packages that can do it and are here, by what to call them; `kind` is a key of `PEERS`."""
    return {who: peer for who, peer in PEERS[kind].items() if find_spec(peer.package) is not None}


def standard_features(styles: GameStyles) -> NDArray[np.float64]:
    """float64[n, 4]: as `leaderboard.ratings.style_control` makes them."""
    raw = (styles.side_a - styles.side_b) / np.maximum(1, styles.side_a + styles.side_b)
    scaled: NDArray[np.float64] = raw / np.sqrt(np.square(raw).mean(axis=0))
    return scaled


def _evalica_bradley_terry(votes: Votes) -> pd.Series:
    evalica = import_module("evalica")
    xs, ys = votes.frame["model_a"], votes.frame["model_b"]
    found = evalica.bradley_terry(xs, ys, _winners(votes), tolerance=1e-9, limit=10_000)
    points: pd.Series = 400.0 * np.log10(found.scores)
    return points


def _evalica_elo(votes: Votes) -> pd.Series:
    xs, ys = votes.frame["model_a"], votes.frame["model_b"]
    scores: pd.Series = import_module("evalica").elo(xs, ys, _winners(votes), k=4.0).scores
    return scores


def _winners(votes: Votes) -> pd.Series:
    winner = import_module("evalica").Winner
    return votes.frame["winner"].map(dict(zip(WORDS, (winner.X, winner.Y, winner.Draw, winner.Draw), strict=True)))


def _arena_rank(votes: Votes) -> pd.Series:
    data, models = import_module("arena_rank.utils.data_utils"), import_module("arena_rank.models.bradley_terry")
    dataset = data.PairDataset.from_pandas(
        votes.frame, competitor_cols=["model_a", "model_b"], outcome_col="winner", outcome_map=_OUTCOMES.__getitem__
    )
    model = models.BradleyTerry(n_competitors=len(dataset.competitors))
    return _arena_rank_points(model.compute_ratings_and_cis(dataset, significance_level=0.05, ci_method="sandwich"))


def _arena_rank_style(votes: Votes) -> pd.Series:
    data, models = (
        import_module("arena_rank.utils.data_utils"),
        import_module("arena_rank.models.contextual_bradley_terry"),
    )
    features = standard_features(votes.styles)
    columns = [f"feature_{i}" for i in range(features.shape[1])]
    dataset = data.ContextualPairDataset.from_pandas(
        votes.frame.assign(**dict(zip(columns, features.T, strict=True))),
        feature_cols=columns,
        competitor_cols=["model_a", "model_b"],
        outcome_col="winner",
        outcome_map=_OUTCOMES.__getitem__,
        reweighted=False,
        normalize_features=False,
    )
    model = models.ContextualBradleyTerry(n_competitors=len(dataset.competitors), n_features=len(columns), reg=0.0)
    return _arena_rank_points(model.compute_ratings_and_cis(dataset, significance_level=0.05))


def _arena_rank_points(result: Mapping[str, object]) -> pd.Series:
    return pd.Series(np.asarray(result["ratings"]), index=list(np.asarray(result["competitors"])))


_OUTCOMES = dict(zip(WORDS.tolist(), (1.0, 0.0, 0.5, 0.5), strict=True))


def _sklearn(votes: Votes) -> pd.Series:
    return _regression(votes, features=None)


def _sklearn_style(votes: Votes) -> pd.Series:
    return _regression(votes, features=standard_features(votes.styles))


def _regression(votes: Votes, *, features: NDArray[np.float64] | None) -> pd.Series:
    """Each vote as won and as lost, weighted by its score: a tie counts half of each."""
    sparse = import_module("scipy.sparse")
    codes_a, names_a = pd.factorize(votes.frame["model_a"])
    codes_b, names_b = pd.factorize(votes.frame["model_b"])
    names = pd.Index(names_a).union(pd.Index(names_b))
    seats = names.get_indexer(names_a)[codes_a], names.get_indexer(names_b)[codes_b]
    n, rows = len(votes.frame), np.arange(len(votes.frame))
    signs = np.repeat([1.0, -1.0], n)
    design = sparse.csr_array((signs, (np.tile(rows, 2), np.concatenate(seats))), shape=(n, len(names)))
    if features is not None:
        design = sparse.hstack([design, sparse.csr_array(features)], format="csr")
    score = votes.frame["winner"].map(_OUTCOMES).to_numpy(dtype=np.float64)
    weights = np.concatenate([score, 1.0 - score])
    used = np.flatnonzero(weights)
    model = import_module("sklearn.linear_model").LogisticRegression(
        C=np.inf, fit_intercept=False, tol=1e-8, max_iter=1000
    )
    model.fit(design[used % n], np.repeat([1, 0], n)[used], sample_weight=weights[used])
    return pd.Series(POINTS * model.coef_[0][: len(names)], index=names)


PEERS: Mapping[str, Mapping[str, Peer]] = MappingProxyType(
    {
        "Bradley-Terry, CI": {
            "evalica": Peer(package="evalica", rate=_evalica_bradley_terry, note="without an interval"),
            "evalica, bootstrap": Peer(
                package="evalica", rate=_evalica_bradley_terry, rounds=BOOTSTRAPS, note="one round times 100"
            ),
            "arena-rank": Peer(package="arena_rank", rate=_arena_rank, note="with its sandwich"),
            "scikit-learn, bootstrap": Peer(
                package="sklearn", rate=_sklearn, rounds=BOOTSTRAPS, note="LogisticRegression, one round times 100"
            ),
        },
        "Elo": {"evalica": Peer(package="evalica", rate=_evalica_elo)},
        "style control": {
            "arena-rank": Peer(package="arena_rank", rate=_arena_rank_style, note="reg=0"),
            "scikit-learn": Peer(
                package="sklearn", rate=_sklearn_style, note="LogisticRegression, without an interval"
            ),
        },
    }
)
