"""Voters play whole battles until the process is killed; prints each vote once it is acknowledged."""

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from arena.store import Store
from tests.arena.store.proving import play


def main() -> None:
    url, label, voters = sys.argv[1:]
    store = Store.open(url)
    os.write(1, b"voting\n")
    with ThreadPoolExecutor(int(voters)) as pool:
        list(pool.map(lambda number: vote(store, f"{label}-{number}"), range(int(voters))))


def vote(store: Store, label: str) -> None:
    rng = random.Random(label)
    for number in count():
        cast = play(store, f"{label}-{number}", rng)
        # One unbuffered write per line: what the parent reads was acknowledged, whatever happens next.
        os.write(1, f"{cast.battle_id} {cast.seq} {cast.verdict}\n".encode())


if __name__ == "__main__":
    main()
