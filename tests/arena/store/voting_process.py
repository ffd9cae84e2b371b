"""Votes from eight threads until it is killed; prints each battle once its vote is acknowledged."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from arena.store import Store
from leaderboard.verdicts import Verdict


def main() -> None:
    store = Store.open(sys.argv[1])
    battles = sys.stdin.read().split()
    os.write(1, b"voting\n")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda battle_id: vote(store, battle_id), battles))
    store.close()


def vote(store: Store, battle_id: str) -> None:
    verdict = list(Verdict)[sum(battle_id.encode()) % len(Verdict)]
    cast = store.write.cast_vote(battle_id, "voter", verdict).result()
    # One unbuffered write per line: what the parent reads was acknowledged, whatever happens next.
    os.write(1, f"{cast.battle_id} {cast.seq} {cast.verdict}\n".encode())


if __name__ == "__main__":
    main()
