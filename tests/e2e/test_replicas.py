"""Two replicas, nginx and PostgreSQL as real processes: who is moved to the other replica loses nothing."""

from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from arena.domain import ReplyStatus, Side
from arena.network import network_of
from tests.e2e.battle_page import LABELS, BattlePage
from tests.e2e.conftest import NewContext
from tests.e2e.replicas import SECRET, Deployment, deployment
from tests.e2e.told_upstream import BEGUN, MODELS, WHOLE, Upstream, models_of
from tests.postgresql_server import PostgresServer
from tests.reverse_proxy import STRANGER

pytestmark = pytest.mark.e2e

RETRY = "Retry this side"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[str]:
    name = postgres.create()
    yield name
    postgres.drop(name)


@pytest.fixture(scope="module")
def arenas(
    postgres: PostgresServer, database: str, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("replicas")
    url = postgres.url(database)
    with deployment(folder, database_url=url, models=models_of(upstream), hold_seconds=1) as arenas:
        yield arenas


def test_both_replicas_that_started_at_once_on_an_empty_database_have_one_board(arenas: Deployment) -> None:
    first, second = (replica.board() for replica in arenas.replicas)

    assert (first.version, first.standings) == (second.version, second.standings)
    assert {standing.model for standing in first.standings} == set(MODELS)


def test_who_reloads_after_a_replica_was_killed_goes_on_where_the_battle_stood(
    new_context: NewContext, arenas: Deployment, upstream: Upstream
) -> None:
    battle = BattlePage(new_context().new_page(), arenas.proxy.url).open()
    battle.ask("stall until the replica is killed").expect_answers(BEGUN)
    battle_id = battle.battle_id
    killed = arenas.serving(upstream.port)

    with killed.killed():
        battle.page.reload()
        for side in Side:
            battle.pane(side).get_by_role("button", name=RETRY).click()
            expect(battle.answer(side)).to_have_text(WHOLE)
        battle.expect_votable().button(LABELS[0]).click()
        battle.expect_names()

    assert battle.battle_id == battle_id
    assert len(upstream.asked_for("stall until the replica is killed")) == 4
    assert {reply.status for reply in killed.battle(battle_id).turns[-1].replies.values()} == {ReplyStatus.OK}


def test_a_tab_that_nobody_reloads_finds_the_other_replica_by_itself(
    new_context: NewContext, arenas: Deployment, upstream: Upstream
) -> None:
    battle = BattlePage(new_context().new_page(), arenas.proxy.url).open()
    battle.ask("stall, and nobody reloads").expect_answers(BEGUN)

    with arenas.serving(upstream.port).killed():
        battle.pane(Side.A).get_by_role("button", name=RETRY).click()

        expect(battle.answer(Side.A)).to_have_text(WHOLE)


def test_a_vote_on_one_replica_moves_the_board_that_is_open_on_the_other(
    new_context: NewContext, arenas: Deployment
) -> None:
    here, there = arenas.replicas
    votes = here.board().votes
    board = new_context().new_page()
    board.goto(f"{there.url}/leaderboard")
    expect(board.get_by_text(counted(votes), exact=True)).to_be_visible()

    battle = BattlePage(new_context().new_page(), here.url).open().ask("plain, seen from there").expect_votable()
    battle.button(LABELS[1]).click()

    expect(board.get_by_text(counted(votes + 1), exact=True)).to_be_visible()


def test_one_cookie_is_one_voter_on_both_replicas(new_context: NewContext, arenas: Deployment) -> None:
    here, there = arenas.replicas
    window = new_context()
    mine = BattlePage(window.new_page(), here.url).open().ask("plain, on both").expect_votable()

    same = BattlePage(window.new_page(), there.url).open(mine.battle_id)

    same.expect_votable().expect_answers(WHOLE)


def test_the_limits_know_a_visitors_address_from_the_proxy_and_from_nobody_else(
    new_context: NewContext, arenas: Deployment, postgres: PostgresServer, database: str
) -> None:
    battle = BattlePage(new_context().new_page(), arenas.proxy.strange_url).open().ask("plain, from afar")

    with postgres.connection(database) as connection:
        found = connection.execute("SELECT network FROM battle WHERE id = %s", [battle.battle_id]).fetchone()

    assert found == (network_of(STRANGER, (), proxies=(), secret=SECRET),)


def test_each_replica_says_once_that_it_counts_its_visitors_alone(arenas: Deployment) -> None:
    said = [replica.log.count("the limits count this replica's visitors alone") for replica in arenas.replicas]
    started = [replica.log.count("The arena opens on") for replica in arenas.replicas]

    assert said == started


def test_visitors_get_no_figures_through_the_proxy_and_are_told_whether_the_arena_lives(arenas: Deployment) -> None:
    for path in ("/metrics", "/_stcore/metrics"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(arenas.proxy.url + path, timeout=30)

    with urlopen(f"{arenas.proxy.url}/healthz", timeout=30) as answer:
        assert answer.status == 200


def test_after_all_that_the_ratings_are_those_of_the_votes(arenas: Deployment) -> None:
    verified = arenas.replicas[0].command("verify")

    assert verified.code == 0, verified.output
    assert verified.output.startswith("Sound: ")


def counted(votes: int) -> str:
    return f"{votes} vote" if votes == 1 else f"{votes} votes"
