"""Begins to remove the source "file", says so once a part of it is gone, and waits to be killed."""

import os
import sys
from threading import Event

from arena.store import Store, sources
from arena.store.queue import Job


def main() -> None:
    store = Store.open(sys.argv[1])
    (found,) = store.read.sources()
    hide = Job(run=lambda connection, now: sources.hide(connection, "file", actor="tester", now=now))
    store.write._queue.submit(hide).result()
    step = Job(run=lambda connection, _now: sources.remove_some(connection, found.id))
    store.write._queue.submit(step).result()
    os.write(1, b"removing\n")
    Event().wait()


if __name__ == "__main__":
    main()
