import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from arena.domain import ModelSpec, ModelState
from arena.errors import SettingsError
from arena.model_entry import ModelEntry
from arena.providers import StreamLimits
from arena.settings import Settings, api_key, load_settings
from arena.settings_tables import Limits

ROOT = Path(__file__).parents[2]
LITERAL = "sk-proj-4f9aZ2LITERALkey"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str) -> Path:
        file = tmp_path / "arena.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write_file


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose folders, the current one included, are empty."""
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def scripted(name: str, more: str = "") -> str:
    return f'[[models]]\nname = "{name}"\nprovider = "scripted"\n{more}\n'


def remote(more: str) -> str:
    return f'[[models]]\nname = "m"\nbase_url = "http://localhost:1/v1"\nupstream_id = "u"\n{more}\n'


# Where the file and the data lie


def test_without_a_file_the_defaults_hold_and_data_live_in_the_users_data_folder(elsewhere: Path) -> None:
    settings = load_settings(environ={})

    assert settings.source is None
    assert settings.models == ()
    assert settings.data_dir == elsewhere / "xdg_data_home" / "team-arena"
    assert settings.database_url == f"sqlite:///{settings.data_dir}/arena.sqlite3"
    assert (settings.host, settings.port, settings.hold_seconds) == ("127.0.0.1", 8501, 3.0)


def test_a_named_file_comes_before_the_variable_the_current_folder_and_the_users_configuration(elsewhere: Path) -> None:
    places = [
        elsewhere / "named.toml",
        elsewhere / "variable.toml",
        elsewhere / "here" / "arena.toml",
        elsewhere / "xdg_config_home" / "team-arena" / "arena.toml",
    ]
    for port, place in enumerate(places, start=1):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"port = {port}\n")
    environ = {"ARENA_CONFIG": str(places[1])}

    ports = [load_settings(config=places[0], environ=environ).port, load_settings(environ=environ).port]
    ports.append(load_settings(environ={}).port)
    places[2].unlink()
    ports.append(load_settings(environ={}).port)

    assert ports == [1, 2, 3, 4]


def test_a_file_that_was_named_but_is_not_there_is_an_error(elsewhere: Path) -> None:
    with pytest.raises(SettingsError, match=r"no settings file .*missing\.toml"):
        load_settings(environ={"ARENA_CONFIG": str(elsewhere / "missing.toml")})


def test_data_lie_beside_the_file(write: Write) -> None:
    file = write("")

    assert load_settings(config=file, environ={}).data_dir == file.parent / "arena-data"


def test_data_never_land_in_the_programs_own_tree() -> None:
    settings = load_settings(config=ROOT / "arena.example.toml", environ={})

    assert not settings.data_dir.is_relative_to(ROOT)


def test_data_do_not_lie_among_configuration_files(elsewhere: Path) -> None:
    file = elsewhere / "xdg_config_home" / "team-arena" / "arena.toml"
    file.parent.mkdir(parents=True)
    file.touch()

    assert load_settings(environ={}).data_dir == elsewhere / "xdg_data_home" / "team-arena"


def test_folders_in_the_file_are_relative_to_the_file(write: Write) -> None:
    file = write('data_dir = "votes"\ncache_dir = "../cache"\n')

    settings = load_settings(config=file, environ={})

    assert settings.data_dir == file.parent / "votes"
    assert settings.cache_dir.resolve() == file.parent.parent / "cache"


# Variables


def test_variables_win_over_the_file_and_enter_tables(write: Write) -> None:
    file = write("port = 1\n[limits]\nsilence_seconds = 1\ntotal_seconds = 9\n")

    settings = load_settings(config=file, environ={"ARENA_PORT": "2", "ARENA_LIMITS__SILENCE_SECONDS": "2.5"})

    assert settings.port == 2
    assert settings.stream_limits() == StreamLimits(silence_seconds=2.5, total_seconds=9)


def test_a_variable_holds_several_hosts_with_commas_between_them(write: Write) -> None:
    file = write('allowed_hosts = ["arena.example.com"]')

    from_file = load_settings(config=file, environ={})
    from_variable = load_settings(config=file, environ={"ARENA_ALLOWED_HOSTS": "Arena.local, [::FFFF], 10.0.0.7,"})

    assert from_file.allowed_hosts == ("arena.example.com",)
    assert from_variable.allowed_hosts == ("arena.local", "::ffff", "10.0.0.7")


def test_an_empty_variable_counts_as_unset(write: Write) -> None:
    assert load_settings(config=write(""), environ={"ARENA_PORT": ""}).port == 8501


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ARENA_PROT", "1", "did you mean ARENA_PORT?"),
        ("ARENA_LIMITS__SILENSE_SECONDS", "1", "did you mean ARENA_LIMITS__SILENCE_SECONDS?"),
        ("ARENA_PORT", "eighty", "ARENA_PORT: .*integer"),
        ("ARENA_LIMITS", "{}", "ARENA_LIMITS: "),
        ("ARENA_MODELS", "[]", "ARENA_MODELS cannot be set by a variable"),
        ("ARENA_SOURCE", "x", "ARENA_SOURCE cannot be set by a variable"),
        ("ARENA_LIMITS__A__B", "1", "ARENA_LIMITS__A__B cannot be set by a variable"),
        ("ARENA_PORT__A", "1", "`port` is no table"),
    ],
)
def test_a_wrong_variable_is_named_with_its_remedy(write: Write, variable: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(config=write("port = 1"), environ={variable: value})


# Wrong files


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", r"arena\.toml: prot: unknown key; did you mean `port`\?"),
        ("[limits]\nsilense_seconds = 1", r"\[limits\]: silense_seconds: .*`silence_seconds`"),
        ("[elo]\nstrat = 1", r"\[elo\]: strat: .*`start`"),
        (scripted("m", "temprature = 1"), r"model 'm': temprature: .*`temperature`"),
        (remote('license = "MIT"'), r"license: .*`licence`"),
        (remote('api_base = "x"'), r"api_base: .*`base_url`"),
        ("xyzzy = 1", "xyzzy: unknown key; known here are aa_share.*cache_dir, data_dir"),
        ('[[models]]\nprovider = "scripted"', r"\[\[models\]\] number 1: name: Field required"),
        ("models = [1]", r"\[\[models\]\] number 1: "),
        ("port = 0", "port: Input should be greater than or equal to 1"),
        ("[limits]\nsilence_seconds = nan", r"\[limits\]: silence_seconds: .*finite"),
        ("port = \nhost = 1", r"not valid TOML: .*line 1"),
        ('secret = "a secret that is long enough"', "ARENA_SECRET"),
        ('metrics_token = "a token that is long enough"', "ARENA_METRICS_TOKEN"),
        ('source = "x"', "`source` cannot be set"),
        ('allowed_hosts = ["https://arena.example.com/"]', "allowed_hosts: .*is no host name: write arena.example.com"),
        ('allowed_hosts = ["arena.example.com:8501"]', "without https://, port or path"),
        ('allowed_hosts = ["*"]', "is no host name"),
        ("x = " + "[" * 20_000, "nested too deeply"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key_its_place_and_the_remedy(write: Write, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(config=write(text), environ={})


def test_the_number_of_further_faults_is_told(write: Write) -> None:
    with pytest.raises(SettingsError, match=r"\(1 more to mend after that\)"):
        load_settings(config=write("prot = 1\nhots = 2"), environ={})


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "arena.toml"
    file.write_bytes(b"host = '\xff'")

    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(config=file, environ={})


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "arena.toml"
    file.write_bytes(b"\xef\xbb\xbfport = 5")

    assert load_settings(config=file, environ={}).port == 5


# Models


def test_a_model_entry_has_exactly_the_fields_of_a_spec() -> None:
    assert set(ModelEntry.model_fields) == {field.name for field in fields(ModelSpec)}


def test_the_limits_have_exactly_the_fields_and_defaults_of_stream_limits() -> None:
    assert set(Limits.model_fields) == {field.name for field in fields(StreamLimits)}
    assert Settings().stream_limits() == StreamLimits()


def test_a_model_needs_little_and_the_rest_has_defaults(write: Write) -> None:
    (spec,) = load_settings(config=write(scripted("m")), environ={}).specs()

    assert spec == ModelSpec(name="m", provider="scripted", display_name="m")


def test_every_field_of_a_model_reaches_its_spec(write: Write) -> None:
    more = """
        display_name = "Model M"
        key_variable = "M_KEY"
        organisation = "Org"
        licence = "Apache-2.0"
        link = "https://example.org/m"
        parameters = "7B"
        context_tokens = 8192
        knowledge_cutoff = 2024-05-01
        price_in = 0.5
        price_out = 1
        system_prompt = "Be brief."
        temperature = 0.7
        top_p = 0.9
        max_tokens = 50
        vision = true
        weight = 2
        state = "retired"
        aliases = ["M one"]
        extra_body = { top_k = 5 }
    """

    (spec,) = load_settings(config=write(remote(more)), environ={}).specs()

    assert spec == ModelSpec(
        name="m",
        provider="openai_chat",
        display_name="Model M",
        base_url="http://localhost:1/v1",
        upstream_id="u",
        key_variable="M_KEY",
        organisation="Org",
        licence="Apache-2.0",
        link="https://example.org/m",
        parameters="7B",
        context_tokens=8192,
        knowledge_cutoff="2024-05-01",
        price_in=0.5,
        price_out=1.0,
        system_prompt="Be brief.",
        temperature=0.7,
        top_p=0.9,
        max_tokens=50,
        vision=True,
        weight=2.0,
        state=ModelState.RETIRED,
        aliases=("M one",),
        extra_body={"top_k": 5},
    )


def test_an_embedded_model_needs_no_upstream_id(write: Write) -> None:
    file = write('[[models]]\nname = "m"\nbase_url = "embedded:smollm2-135m"\n')

    assert load_settings(config=file, environ={}).specs()[0].base_url == "embedded:smollm2-135m"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (scripted("two words"), "model 'two words': name: may hold letters"),
        (scripted(" m"), "name: may hold letters"),
        (scripted("m", 'display_name = "M "'), "display_name: must be one line"),
        (scripted("m", 'display_name = ""'), "display_name: must be one line"),
        (scripted("m", 'link = "javascript:alert(1)"'), "link: must be an address"),
        (scripted("m", 'provider2 = "x"'), "provider2: .*`provider`"),
        ('[[models]]\nname = "m"\nprovider = "carrier-pigeon"', "no provider 'carrier-pigeon'; there are .*scripted"),
        ('[[models]]\nname = "m"', "model 'm': base_url is missing"),
        ('[[models]]\nname = "m"\nbase_url = "http://x/v1"', "model 'm': upstream_id is missing"),
        ('[[models]]\nname = "m"\nupstream_id = "u"\nbase_url = "ftp://x"', "base_url: must be an address"),
        ('[[models]]\nname = "m"\nupstream_id = "u"\nbase_url = "http://a b"', "base_url: must be an address"),
        ('[[models]]\nname = "m"\nupstream_id = "u"\nbase_url = "http://x:99999"', "base_url: Port out of range"),
        (remote("temperature = 3"), "temperature: Input should be less than or equal to 2"),
        (remote("price_in = -1"), "price_in: "),
        (remote("weight = inf"), "weight: "),
        (remote('state = "off"'), "state: Input should be 'enabled', 'disabled' or 'retired'"),
        (remote('script = { text = "hello" }'), 'script is read by provider = "scripted" only'),
        (scripted("m", 'script = { txt = "hello" }'), "model 'm': script: .*\"text\""),
        (scripted("m") + scripted("M"), "'m' and 'M' share the name or alias 'm'"),
        (scripted("m", 'aliases = ["x"]') + scripted("n", 'aliases = ["X"]'), "share the name or alias 'x'"),
    ],
)
def test_a_wrong_model_is_refused_with_its_name_and_the_remedy(write: Write, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(config=write(text), environ={})


def test_an_alias_that_repeats_its_own_models_name_does_no_harm(write: Write) -> None:
    assert load_settings(config=write(scripted("m", 'aliases = ["M", "m"]')), environ={}).specs()[0].name == "m"


# Keys and secrets


@pytest.mark.parametrize(
    "line",
    [
        f'key_variable = "{LITERAL}"',
        f'api_key = "{LITERAL}"',
        f'extra_body = {{ headers = [{{ Authorization = "Bearer {LITERAL}" }}] }}',
    ],
)
def test_a_literal_key_is_refused_and_never_repeated(write: Write, line: str) -> None:
    with pytest.raises(SettingsError, match="environment variable") as caught:
        load_settings(config=write(remote(line)), environ={})

    assert LITERAL not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("variable", ["ZZZZ4F9Z2LITERALKEY99", "lower_case", "9_STARTS_WITH_A_DIGIT", "A-B"])
def test_what_cannot_be_the_name_of_a_variable_is_refused(write: Write, variable: str) -> None:
    with pytest.raises(SettingsError, match="key_variable"):
        load_settings(config=write(remote(f'key_variable = "{variable}"')), environ={})


@pytest.mark.parametrize(
    "address", [f"https://me:{LITERAL}@x/v1", f"https://{LITERAL}@x/v1", f"https://x/v1?key={LITERAL}"]
)
def test_an_address_that_carries_a_secret_is_refused_and_not_repeated(write: Write, address: str) -> None:
    text = f'[[models]]\nname = "m"\nupstream_id = "u"\nbase_url = "{address}"'

    with pytest.raises(SettingsError, match="key_variable") as caught:
        load_settings(config=write(text), environ={})

    assert LITERAL not in str(caught.value)


def test_a_key_is_read_when_it_is_asked_for() -> None:
    spec = ModelSpec(name="m", provider="openai_chat", display_name="m", key_variable="M_KEY")

    assert api_key(spec, environ={"M_KEY": f" {LITERAL}\n"}) == LITERAL
    assert api_key(ModelSpec(name="m", provider="scripted", display_name="m"), environ={}) is None


@pytest.mark.parametrize(
    ("environ", "words"), [({}, "M_KEY is not set"), ({"M_KEY": " "}, "M_KEY is not set"), ({"M_KEY": "a\nb"}, "M_KEY")]
)
def test_a_key_that_is_missing_or_broken_is_an_error_that_names_the_variable(
    environ: dict[str, str], words: str
) -> None:
    spec = ModelSpec(name="m", provider="openai_chat", display_name="m", key_variable="M_KEY")

    with pytest.raises(SettingsError, match=words):
        api_key(spec, environ=environ)


def test_the_secret_of_the_variable_is_never_shown(write: Write) -> None:
    settings = load_settings(config=write(""), environ={"ARENA_SECRET": "a secret that is long enough"})

    assert settings.cookie_secret().get_secret_value() == "a secret that is long enough"
    assert "long enough" not in f"{settings!r} {settings} {settings.model_dump()}"


@pytest.mark.parametrize("url", ["nonsense", "memory://", "redis://:sesame@host:port/0", "redis://:sesame@h:99999/0"])
def test_an_address_that_is_no_redis_is_refused_without_being_shown(write: Write, url: str) -> None:
    with pytest.raises(SettingsError, match=r"ARENA_REDIS_URL: is no address of a Redis, such as redis://") as caught:
        load_settings(config=write(""), environ={"ARENA_REDIS_URL": url})

    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "rediss://:sesame@host/1", "redis+unix:///run/redis.sock"])
def test_every_kind_of_address_of_a_redis_is_taken(write: Write, url: str) -> None:
    assert load_settings(config=write(""), environ={"ARENA_REDIS_URL": url}).redis_url == url


def test_a_short_secret_is_refused_without_being_shown(write: Write) -> None:
    with pytest.raises(SettingsError, match="ARENA_SECRET: needs at least 16 characters") as caught:
        load_settings(config=write(""), environ={"ARENA_SECRET": "hunter2"})

    assert "hunter2" not in str(caught.value)


def test_a_database_password_is_not_shown(write: Write) -> None:
    settings = load_settings(config=write(""), environ={"ARENA_DATABASE_URL": "postgresql://me:hunter2@db/arena"})

    assert settings.database_url.endswith("hunter2@db/arena")
    assert "hunter2" not in repr(settings)


def test_a_secret_is_made_once_readable_by_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")

    first = settings.cookie_secret().get_secret_value()

    assert settings.cookie_secret().get_secret_value() == first
    assert len(first) >= 32
    assert [file.name for file in settings.data_dir.iterdir()] == ["secret"]
    assert stat.S_IMODE((settings.data_dir / "secret").stat().st_mode) == 0o600


def test_a_database_that_replicas_can_share_wants_a_secret_that_they_share(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://db/arena")

    with pytest.raises(SettingsError, match="set it to the same value for each"):
        settings.cookie_secret()
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from arena.settings import Settings\n"
        "sys.stdin.read(); print(Settings(data_dir=Path(sys.argv[1])).cookie_secret().get_secret_value())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    runs = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)
    ]

    for run in runs:
        assert run.stdin is not None
        run.stdin.close()
        run.stdin = None
    secrets = {run.communicate(timeout=60)[0] for run in runs}

    assert len(secrets) == 1
    assert "" not in secrets


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.cookie_secret()
    (tmp_path / "secret").chmod(0o644)

    with pytest.raises(SettingsError, match="chmod 600"):
        settings.cookie_secret()


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0o600)

    with pytest.raises(SettingsError, match="damaged"):
        Settings(data_dir=tmp_path).cookie_secret()
