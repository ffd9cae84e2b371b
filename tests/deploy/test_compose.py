import re
from ipaddress import ip_address

import pytest
from compose_spec import PyCompose

from arena.settings import Settings, load_settings
from tests.deploy.deployment import DEPLOY, compose, text

REPLICAS = ("arena-1", "arena-2")


def settings_of(replica: str) -> Settings:
    environ = {
        name: re.sub(r"\$\{(\w+):[?-][^}]*\}", "a value of the file .env", value)
        for name, value in compose()["services"][replica]["environment"].items()
    }
    return load_settings(config=DEPLOY / "arena.toml", environ=environ)


def test_the_file_follows_the_compose_specification() -> None:
    spec = PyCompose.from_yaml(text("compose.yaml")).to_spec()

    assert {*REPLICAS, "nginx", "postgres", "redis"} == set(spec.services or ())


@pytest.mark.parametrize(
    "mistake", [("read_only: true", "readonly: true"), ("condition: service_healthy", "condition: healthy")]
)
def test_a_mistake_in_it_would_be_found(mistake: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"readonly|healthy"):
        PyCompose.from_yaml(text("compose.yaml").replace(*mistake))


def test_both_replicas_are_the_same() -> None:
    first, second = (compose()["services"][replica] for replica in REPLICAS)

    assert first == second


@pytest.mark.parametrize("replica", REPLICAS)
def test_a_replica_accepts_its_settings_and_shares_secret_database_and_limits(replica: str) -> None:
    settings = settings_of(replica)

    assert settings.secret is not None
    assert settings.database_url.startswith("postgresql://")
    assert settings.redis_url == "redis://redis:6379/0"
    assert len(settings.specs()) >= 2


def test_the_address_of_the_proxy_is_the_one_that_is_believed() -> None:
    address = ip_address(compose()["services"]["nginx"]["networks"]["inside"]["ipv4_address"])

    assert [address in network for network in settings_of("arena-1").trusted_proxies] == [True]


def test_the_proxy_asks_these_replicas() -> None:
    asked = re.findall(r"^ +server ([\w-]+):8501 ", text("nginx.conf"), re.MULTILINE)

    assert tuple(asked) == REPLICAS


def test_no_password_stands_in_the_file_and_only_the_proxy_can_be_reached() -> None:
    services = compose()["services"]
    secret = {
        value
        for service in services.values()
        for name, value in service.get("environment", {}).items()
        if re.search("SECRET|PASSWORD", name)
    }

    assert all(value.startswith("${") for value in secret)
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
