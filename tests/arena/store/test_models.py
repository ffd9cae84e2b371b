import pytest

from arena.domain import ModelState, Seats
from arena.errors import ModelChanged
from arena.store import Store
from tests.arena.store.conftest import Clock, Desk, MakeSpec


def test_a_new_model_starts_at_the_start_rating(desk: Desk, store: Store) -> None:
    desk.vote(seats=Seats("ant", "bee"))

    desk.enter("ant", "bee", "cat", "dog", "eel")

    ratings = desk.ratings()
    assert ratings["eel"] == 1000.0
    assert sum(ratings.values()) == pytest.approx(5000, abs=1e-6)
    assert store.read.verify().models == 5


def test_a_model_comes_back_with_what_readers_of_the_board_need(store: Store, clock: Clock, spec: MakeSpec) -> None:
    ant = spec(
        "ant",
        organisation="Formicidae",
        licence="MIT",
        link="https://example.org",
        parameters="135M",
        context_tokens=2048,
        knowledge_cutoff="2024-06",
        price_in=0.5,
        price_out=1.5,
        vision=True,
        aliases=("ant-1", "ameise"),
        system_prompt="secret words",
        base_url="https://secret.example",
        key_variable="SECRET_KEY",
    )

    store.write.sync_models([ant]).result(30)

    model = store.read.models()[0]
    public = [
        "name",
        "display_name",
        "organisation",
        "licence",
        "link",
        "parameters",
        "context_tokens",
        "state",
        "knowledge_cutoff",
        "price_in",
        "price_out",
        "vision",
        "aliases",
        "provider",
    ]
    assert {name: getattr(model.spec, name) for name in public} == {name: getattr(ant, name) for name in public}
    assert (model.spec.system_prompt, model.spec.base_url, model.spec.key_variable) == (None, "", None)
    assert (model.fingerprint, model.created_at, model.retired_at) == (ant.fingerprint, clock.now, None)


def test_a_model_that_is_gone_is_retired_and_keeps_its_rating(desk: Desk, store: Store, clock: Clock) -> None:
    desk.vote(seats=Seats("ant", "bee"))
    clock.advance(hours=1)

    desk.enter("bee", "cat", "dog")

    ant = store.read.models()[0]
    assert (ant.spec.name, ant.spec.state, ant.retired_at) == ("ant", ModelState.RETIRED, clock.now)
    assert desk.ratings()["ant"] == 1016.0


def test_a_retired_model_may_come_back(desk: Desk, store: Store) -> None:
    desk.enter("bee", "cat", "dog")

    desk.enter("ant", "bee", "cat", "dog")

    ant = store.read.models()[0]
    assert (ant.spec.state, ant.retired_at) == (ModelState.ENABLED, None)


def test_who_comes_goes_hides_and_comes_back_is_in_the_audit_log(store: Store, spec: MakeSpec) -> None:
    for catalogue in (
        [spec("ant"), spec("bee", state=ModelState.DISABLED)],
        [spec("ant", state=ModelState.DISABLED)],
        [spec("ant", licence="MIT"), spec("bee")],
    ):
        store.write.sync_models(catalogue).result(30)

    told = [(entry.actor, entry.action, entry.target, entry.before, entry.after) for entry in store.read.audit()]
    assert told == [
        ("arena.toml", "model added", "ant", None, "enabled"),
        ("arena.toml", "model added", "bee", None, "disabled"),
        ("arena.toml", "model disabled", "ant", "enabled", "disabled"),
        ("arena.toml", "model retired", "bee", "disabled", "retired"),
        ("arena.toml", "model enabled", "ant", "disabled", "enabled"),
        ("arena.toml", "model enabled", "bee", "retired", "enabled"),
    ]
    store.read.verify()


def test_a_model_may_be_retired_by_the_catalogue(store: Store, clock: Clock, spec: MakeSpec) -> None:
    store.write.sync_models([spec("ant", state=ModelState.RETIRED)]).result(30)
    since = clock.now
    clock.advance(days=1)

    store.write.sync_models([spec("ant", state=ModelState.RETIRED, display_name="Old Ant")]).result(30)

    assert store.read.models()[0].retired_at == since


def test_the_boards_version_moves_only_when_a_model_did(desk: Desk, store: Store, spec: MakeSpec) -> None:
    before = store.read.board_version()

    desk.enter()
    unchanged = store.read.board_version()
    store.write.sync_models([spec(name, licence="MIT") for name in desk.names]).result(30)

    assert unchanged == before
    assert store.read.board_version() == before + 1


def test_a_model_with_votes_needs_a_new_name_for_other_settings(desk: Desk, store: Store, spec: MakeSpec) -> None:
    desk.vote(seats=Seats("ant", "bee"))

    changed = [spec("ant"), spec("bee", temperature=0.5), spec("eel")]
    error = store.write.sync_models(changed).exception(30)

    assert isinstance(error, ModelChanged)
    assert "'bee'" in str(error)
    assert "new name" in str(error)
    assert [model.spec.name for model in store.read.models()] == list(desk.names)


@pytest.mark.usefixtures("desk")
def test_a_model_without_votes_may_change(store: Store, spec: MakeSpec) -> None:
    cat = spec("cat", temperature=0.5)

    store.write.sync_models([spec("ant"), spec("bee"), cat, spec("dog")]).result(30)

    assert store.read.models()[2].fingerprint == cat.fingerprint
