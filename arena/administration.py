"""What administrators do: each verb asks for the role first, and stores what it changes with who did it."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from arena.catalogue import Roster
from arena.checkup import Checkup, check_models
from arena.desk import Desk, RestingModel, VoteLine, VoterLine
from arena.domain import ModelSpec, ModelState
from arena.errors import DecisionRefused, UnknownModel
from arena.guards import Guards
from arena.rate_limits import Outage, Rates
from arena.roles import Action, Person, require
from arena.settings import Settings
from arena.settings_tables import Budgets
from arena.store import (
    AS_IN_FILE,
    Alarm,
    AuditHead,
    AuditPage,
    Erased,
    ModelSetting,
    ModelSpending,
    Spending,
    Store,
    VerifyReport,
    Which,
    utc_now,
)
from arena.transfer import ExportedFile, export_in_memory
from leaderboard import EloSettings

P = ParamSpec("P")
T = TypeVar("T")

LARGEST_K: Final = 400.0
LARGEST_WEIGHT: Final = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedModel:
    """A model as it is drawn now, what was decided about it, and what the settings file says."""

    spec: ModelSpec
    in_file: ModelSpec
    decided: ModelSetting
    is_ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The bounds of today and what was used of them; `rates_are_shared` by all processes, else each has its own.

    `rates_outage` says since when what should be shared cannot be reached; each process has its own meanwhile.
    """

    rates: Rates
    rates_are_shared: bool
    rates_outage: Outage | None
    budgets: Budgets
    spent: Spending


def administrators_only(
    verb: "Callable[Concatenate[Administration, Person, P], T]",
) -> "Callable[Concatenate[Administration, Person, P], T]":
    """Let a verb begin only when an administrator asks; everybody else gets `NotAllowed`, whatever else they say."""

    @wraps(verb)
    def checked(self: "Administration", person: Person, /, *args: P.args, **kwargs: P.kwargs) -> T:
        require(person, Action.ADMINISTER)
        return verb(self, person, *args, **kwargs)

    return checked


class Administration:
    """The administrators' verbs; safe to call from many threads, each returns when it is stored.

    `person` is whoever asks, told anew at each action (`arena.people`).

    Raises:
        NotAllowed: `person` is no administrator, or not any more. So does every verb.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        roster: Roster,
        guards: Guards,
        run: Callable[[Coroutine[Any, Any, Any]], Future[Any]],
    ) -> None:
        self._settings = settings
        self._store = store
        self._roster = roster
        self._guards = guards
        self._run = run
        self._desk = Desk(store, resting=guards.resting)

    # Models

    @administrators_only
    def models(self, person: Person) -> tuple[ManagedModel, ...]:  # noqa: ARG002 - asked for by the decorator
        """The models of the catalogue, in its order."""
        decided = self._store.read.admin.model_settings()
        ready = {spec.name for spec in self._roster.ready()}
        return tuple(
            ManagedModel(
                spec=decided.get(spec.name, AS_IN_FILE).applied(spec),
                in_file=spec,
                decided=decided.get(spec.name, AS_IN_FILE),
                is_ready=spec.name in ready,
            )
            for spec in self._roster.as_in_file()
        )

    @administrators_only
    def set_model(self, person: Person, name: str, setting: ModelSetting) -> None:
        """Decide whether and how often a model is drawn: here at the next battle, elsewhere within two seconds.

        What is as in the settings file is no decision: it goes on following the file.

        Raises:
            UnknownModel: the catalogue has none of that name.
            DecisionRefused: the weight is out of bounds.
        """
        in_file = self._spec(name)
        if setting.weight is not None and not 0 <= setting.weight <= LARGEST_WEIGHT:
            raise DecisionRefused(f"A weight is between 0 and {LARGEST_WEIGHT:,.0f}: nothing was changed.")
        setting = ModelSetting(
            state=None if setting.state is in_file.state else setting.state,
            weight=None if setting.weight == in_file.weight else setting.weight,
        )
        self._store.write.admin.set_model(name, setting, actor=person.id).result()
        if self._roster.refresh(self._store.read.admin.model_settings()):
            self._store.write.sync_models(self._roster.specs()).result()

    @administrators_only
    def test_model(self, person: Person, name: str) -> Checkup:  # noqa: ARG002 - as above
        """Ask a model one short question now, enabled or not.

        Raises:
            UnknownModel: the catalogue has none of that name.
        """
        spec = replace(self._spec(name), state=ModelState.ENABLED)
        limits = self._settings.stream_limits()
        [checkup] = self._run(check_models((spec,), endpoint=self._roster.endpoint, limits=limits)).result()
        return checkup  # type: ignore[no-any-return] # the loop's futures know no types

    @administrators_only
    def resting(self, person: Person) -> tuple[RestingModel, ...]:  # noqa: ARG002 - as above
        """The models that keep failing and are not drawn by this process."""
        return self._desk.resting()

    @administrators_only
    def alarms(self, person: Person) -> tuple[Alarm, ...]:  # noqa: ARG002 - as above
        """The models on which suspects and others disagree."""
        return self._desk.alarms()

    # Limits and money

    @administrators_only
    def usage(self, person: Person) -> Usage:  # noqa: ARG002 - as above
        """The limits, and what of the budgets is used up today."""
        return Usage(
            rates=self._settings.most_rates(),
            rates_are_shared=self._settings.redis_url is not None,
            rates_outage=self._guards.rates_outage(),
            budgets=self._settings.budgets,
            spent=self._store.read.admin.spent_today(now=utc_now()),
        )

    @administrators_only
    def spending(self, person: Person, *, days: int) -> tuple[ModelSpending, ...]:  # noqa: ARG002 - as above
        """What each model came to on each of the last UTC days; today first."""
        return self._store.read.admin.spending(days=days, now=utc_now())

    # Votes and voters: see `arena.desk`

    @administrators_only
    def votes(
        self,
        person: Person,  # noqa: ARG002 - as above
        which: Which = Which.HELD,
        *,
        voter: str | None = None,
        limit: int | None = None,
    ) -> tuple[VoteLine, ...]:
        """Votes on ranked battles, the newest first."""
        return self._desk.votes(which, voter=voter, limit=limit)

    @administrators_only
    def confirm(self, person: Person, seqs: Collection[int], *, reason: str) -> None:
        """Leave held votes out for good."""
        self._desk.confirm(seqs, reason=reason, actor=person.id)

    @administrators_only
    def restore(self, person: Person, seqs: Collection[int], *, reason: str) -> None:
        """Let votes count."""
        self._desk.restore(seqs, reason=reason, actor=person.id)

    @administrators_only
    def exclude(self, person: Person, seqs: Collection[int], *, reason: str) -> None:
        """Leave votes out of the board."""
        self._desk.exclude(seqs, reason=reason, actor=person.id)

    @administrators_only
    def voter_count(self, person: Person) -> int:  # noqa: ARG002 - as above
        """How many have opened a battle."""
        return self._desk.voter_count()

    @administrators_only
    def voters(
        self,
        person: Person,  # noqa: ARG002 - as above
        *,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[VoterLine, ...]:
        """Everybody who has opened a battle."""
        return self._desk.voters(limit=limit, offset=offset)

    @administrators_only
    def trust(self, person: Person, voter: str, *, reason: str) -> None:
        """Make a voter's votes a measure for others'."""
        self._desk.trust(voter, reason=reason, actor=person.id)

    @administrators_only
    def untrust(self, person: Person, voter: str, *, reason: str) -> None:
        """Take back what `trust` said."""
        self._desk.untrust(voter, reason=reason, actor=person.id)

    @administrators_only
    def erase_voter(self, person: Person, voter: str, *, reason: str) -> Erased:
        """Remove a voter and the texts of his battles for good; his votes stay, and nothing is rated anew."""
        return self._desk.erase(voter, reason=reason, actor=person.id)

    # The rating

    @administrators_only
    def elo(self, person: Person) -> EloSettings:  # noqa: ARG002 - as above
        """The settings of the live Elo."""
        return self._store.read.admin.elo()

    @administrators_only
    def change_k(self, person: Person, k: float, *, reason: str) -> None:
        """Fold every vote again with another K-factor; about a second for 100,000 votes, in which others wait.

        Raises:
            DecisionRefused: K is out of bounds, or there is no reason.
        """
        if not 0 < k <= LARGEST_K:
            raise DecisionRefused(f"K is above 0 and at most {LARGEST_K:.0f}: nothing was changed.")
        if not reason.strip():
            raise DecisionRefused("Say why in a few words: the reason is kept in the audit log. Nothing was changed.")
        elo = replace(self._store.read.admin.elo(), k=k)
        self._store.write.admin.change_elo(elo, actor=person.id, reason=reason.strip()).result()

    # The record

    @administrators_only
    def audit(self, person: Person, *, before: int | None = None, limit: int = 50) -> AuditPage:  # noqa: ARG002 - as above
        """The newest entries of the audit log, or those before a number."""
        return self._store.read.admin.audit_page(before=before, limit=limit)

    @administrators_only
    def check_audit(self, person: Person) -> AuditHead:  # noqa: ARG002 - as above
        """Recompute the chain of the audit log; its head.

        Raises:
            StoreCorrupt: names the first entry that is not what was written.
        """
        return self._store.read.admin.check_audit()

    @administrators_only
    def verify(self, person: Person) -> VerifyReport:  # noqa: ARG002 - as above
        """Recompute every rating and tally from the votes.

        Raises:
            StoreCorrupt: names the first difference.
        """
        return self._store.read.verify()

    @administrators_only
    def export_votes(self, person: Person, *, format_name: str) -> ExportedFile:  # noqa: ARG002 - as above
        """The arena's own votes that count, with prompts and answers, in a public format; voters under numbers.

        Raises:
            UnknownFormat: there is no such format.
            ExportRefused: the file would be too large for a page.
        """
        return export_in_memory(self._store, format_name=format_name)

    def _spec(self, name: str) -> ModelSpec:
        """As in the settings file."""
        known: Mapping[str, ModelSpec] = {spec.name: spec for spec in self._roster.as_in_file()}
        if name not in known:
            raise UnknownModel(f"There is no model {name!r} in the catalogue: nothing was changed.")
        return known[name]
