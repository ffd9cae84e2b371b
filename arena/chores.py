"""What one process does beside its visitors' wishes, on threads of its own."""

import logging
import secrets
from threading import Event, Thread

from arena import language
from arena.catalogue import Roster
from arena.enrichment import fill_in
from arena.errors import ArenaError, StoreError
from arena.guards import Guards
from arena.metrics import Metrics
from arena.retention import Retention
from arena.settings import Settings
from arena.store import Store
from arena.sweeps import Sweeps

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 1.0
FILL_IN = "fill in"
FILL_IN_LEASE_SECONDS = 300.0
REST = 1.0  # what reads old texts leaves the processor to others half of the time


class Chores:
    """Ends orphaned answers, re-reads the catalogue, probes rested models, fills in figures, sweeps the votes,
    removes old texts.
    """

    def __init__(
        self, settings: Settings, *, store: Store, roster: Roster, guards: Guards, metrics: Metrics | None = None
    ) -> None:
        self._metrics = metrics = metrics or Metrics()
        self._store = store
        self._roster = roster
        self._guards = guards
        integrity = settings.integrity
        self._sweeps = Sweeps(store, hold_above=integrity.hold_above, seconds=integrity.sweep_seconds, metrics=metrics)
        self._retention = Retention(store, days=settings.keep_texts_days)
        self._holder = secrets.token_hex(8)
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
        self._retention.start()

    def close(self) -> None:
        """End the threads and wait for them; may be called twice, and without a start."""
        self._closing.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._sweeps.close()
        self._retention.close()

    def _keep_house(self) -> None:
        language.prepared()  # here, so that no voter waits for it
        while not self._closing.wait(HOUSEKEEPING_SECONDS):
            try:
                self._store.write.interrupt_expired().result()
                self._guards.probe(self._roster.spec, endpoint=self._roster.endpoint)
                if self._roster.refresh(self._store.read.admin.model_settings()):
                    self._store.write.sync_models(self._roster.specs()).result()
            except StoreError as error:
                self._metrics.chore("housekeeping", done=False)
                log.warning("housekeeping waits for the database: %s", error)
            except ArenaError as error:
                self._metrics.chore("housekeeping", done=False)
                self._roster.complain(str(error))
                log.exception("housekeeping failed")
            except Exception:
                self._metrics.chore("housekeeping", done=False)
                log.exception("housekeeping failed")

    def _fill_in(self) -> None:
        """Once, by one process for all: what is stored from now on is told at once, and files by who imports them."""
        try:
            while not self._has_lease(FILL_IN_LEASE_SECONDS):
                if self._closing.wait(FILL_IN_LEASE_SECONDS):
                    return
            fill_in(self._store, stop=self._closing, rest=REST, keep=lambda: self._has_lease(FILL_IN_LEASE_SECONDS))
            self._has_lease(0)
        except Exception:
            log.exception("languages and styles could not be told; the next start tries again")

    def _has_lease(self, seconds: float) -> bool:
        return self._store.write.take_lease(FILL_IN, holder=self._holder, seconds=seconds).result()
