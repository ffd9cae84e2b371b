"""What one process does beside its visitors' wishes, on threads of its own."""

import logging
from threading import Event, Thread

from arena import language
from arena.catalogue import Roster
from arena.enrichment import fill_in
from arena.errors import ArenaError
from arena.guards import Guards
from arena.settings import Settings
from arena.store import Store
from arena.sweeps import Sweeps

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 1.0
REST = 1.0  # what reads old texts leaves the processor to others half of the time


class Chores:
    """Ends orphaned answers, re-reads the catalogue, probes rested models, fills in figures, sweeps the votes."""

    def __init__(self, settings: Settings, *, store: Store, roster: Roster, guards: Guards) -> None:
        self._store = store
        self._roster = roster
        self._guards = guards
        self._sweeps = Sweeps(store, hold_above=settings.integrity.hold_above, seconds=settings.integrity.sweep_seconds)
        self._closing = Event()
        self._threads = (
            Thread(target=self._keep_house, name="arena-housekeeper", daemon=True),
            Thread(target=self._fill_in, name="arena-enrichment", daemon=True),
        )

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()
        self._sweeps.start()

    def close(self) -> None:
        """End the threads and wait for them; may be called twice, and without a start."""
        self._closing.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._sweeps.close()

    def _keep_house(self) -> None:
        language.prepared()  # here, so that no voter waits for it
        while not self._closing.wait(HOUSEKEEPING_SECONDS):
            try:
                self._store.write.interrupt_expired().result()
                self._guards.probe(self._roster.spec, endpoint=self._roster.endpoint)
                if self._roster.refresh():
                    self._store.write.sync_models(self._roster.specs()).result()
            except ArenaError as error:
                self._roster.complain(str(error))
                log.exception("housekeeping failed")
            except Exception:
                log.exception("housekeeping failed")

    def _fill_in(self) -> None:
        """Once: what is stored from now on is told at once, and files are imported by another process."""
        try:
            fill_in(self._store, stop=self._closing, rest=REST)
        except Exception:
            log.exception("languages and styles could not be told; the next start tries again")
