"""Who can be compared with whom: only models that battles join, directly or through others.

Source: L. R. Ford, Solution of a ranking problem from binary comparisons, Amer. Math. Monthly 64 (1957), no. 8 part 2,
28-33: ratings have a finite maximum likelihood only where, however the models are parted in two, each part has scored
against the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.games import PairCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningBattle:
    """A battle that would join two groups which nothing joins so far."""

    model_a: str
    model_b: str


def groups(counts: PairCounts) -> tuple[tuple[str, ...], ...]:
    """The models, parted so that battles join all of a group and none of two groups; largest first, then by name.

    A model without battles is a group of its own.
    """
    label = group_labels(counts.pair_battles > 0)
    members: dict[int, list[str]] = {}
    for name, group in zip(counts.names, label.tolist(), strict=True):
        members.setdefault(group, []).append(name)
    found = [tuple(sorted(group)) for group in members.values()]
    return tuple(sorted(found, key=lambda group: (-len(group), group)))


def apart(parts: tuple[tuple[str, ...], ...], model_a: str, model_b: str) -> str | None:
    """Why two models cannot be compared, as a sentence; None when they can.

    Args:
        parts: as `groups` gives them.
        model_a: one model.
        model_b: the other one.

    Raises:
        ValueError: a model is in no group.
    """
    homes = []
    for model in (model_a, model_b):
        home = next((number for number, part in enumerate(parts) if model in part), None)
        if home is None:
            raise ValueError(f"no model is named {model!r} on this board")
        homes.append(home)
    if homes[0] == homes[1]:
        return None
    return f"{model_a} and {model_b} have never met, not even through others."


def chain(counts: PairCounts, model_a: str, model_b: str) -> tuple[str, ...]:
    """The shortest way from A to B over models that have met, both ends included; empty when there is none.

    More than two models say that the pair never met itself and that its comparison rests on those between.

    Raises:
        ValueError: a model is not on the board.
    """
    counts.record(model_a, model_b)  # refuses unknown names
    met = counts.pair_battles > 0
    start, goal = counts.names.index(model_a), counts.names.index(model_b)
    came_from = {start: start}
    frontier = [start]
    while frontier and goal not in came_from:
        reached = [(there, here) for here in frontier for there in np.flatnonzero(met[here]).tolist()]
        frontier = []
        for there, here in reached:
            if there not in came_from:
                came_from[there] = here
                frontier.append(there)
    return _walk_back(counts.names, came_from, goal) if goal in came_from else ()


def joining_battles(counts: PairCounts) -> tuple[JoiningBattle, ...]:
    """One battle for each group beside the largest, between the models with most battles; none on a joined board."""
    battles = dict(zip(counts.names, counts.pair_battles.sum(axis=1).tolist(), strict=True))
    heads = [min(group, key=lambda model: (-battles[model], model)) for group in groups(counts)]
    return tuple(JoiningBattle(model_a=heads[0], model_b=head) for head in heads[1:])


def preliminary(counts: PairCounts, *, below: int = 30) -> frozenset[str]:
    """The models with fewer battles than `below`: too few to trust their places."""
    battles = counts.pair_battles.sum(axis=1)
    return frozenset(counts.names[i] for i in np.flatnonzero(battles < below).tolist())


def without_maximum(counts: PairCounts) -> str | None:
    """Why plain maximum likelihood has no finite answer on this board, as a sentence; None when it has one."""
    parts = groups(counts)
    if len(parts) > 1:
        return f"{apart(parts, parts[0][0], parts[1][0])} Their battles alone cannot rate them on one scale."
    scored = (counts.wins + counts.ties + counts.both_bad) > 0
    for direction, what in ((scored, "has never lost or tied against"), (scored.T, "has never won or tied against")):
        reached = _reached(direction, 0) if len(counts.names) else np.ones(0, dtype=np.bool_)
        if not reached.all():
            inside, outside = (counts.names[np.flatnonzero(side)[0]] for side in (reached, ~reached))
            return f"{outside} (with its like) {what} {inside} (with its like), so that no finite rating fits."
    return None


def group_labels(joined: NDArray[np.bool_]) -> NDArray[np.int64]:
    """int64[M]: the number of each model's group, given the symmetric bool[M, M] of who has met."""
    label = np.full(len(joined), -1, dtype=np.int64)
    group = 0
    while (left := np.flatnonzero(label < 0)).size:
        label[_reached(joined, int(left[0]))] = group
        group += 1
    return label


def _reached(edges: NDArray[np.bool_], start: int) -> NDArray[np.bool_]:
    reached = np.zeros(len(edges), dtype=np.bool_)
    frontier = reached.copy()
    frontier[start] = True
    while frontier.any():
        reached |= frontier
        frontier = edges[frontier].any(axis=0) & ~reached
    return reached


def _walk_back(names: tuple[str, ...], came_from: dict[int, int], goal: int) -> tuple[str, ...]:
    steps = [goal]
    while came_from[steps[-1]] != steps[-1]:
        steps.append(came_from[steps[-1]])
    return tuple(names[step] for step in reversed(steps))
