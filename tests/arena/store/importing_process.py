"""Begins an import, says so once votes are stored, and waits to be killed."""

import os
import sys
from threading import Event

from arena.foreign import ForeignTally, ForeignVote
from arena.store import NewSource, SourceLoad, Store
from leaderboard.verdicts import Verdict


def main() -> None:
    store = Store.open(sys.argv[1])
    with SourceLoad(store.write, NewSource(name="file", format="plain", sha256="sum of file")) as loading:
        loading.add([ForeignVote(1, "ant", "bee", Verdict.A)] * 30_000)
        loading.add_tallies([ForeignTally(1, "ant", "bee", Verdict.A, 1)])
        loading._load_tallies(keep=0)
        store.write.renew_leases([]).result()  # behind what was queued
        os.write(1, b"loading\n")
        Event().wait()


if __name__ == "__main__":
    main()
