import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arena.__main__ import main
from arena.errors import SettingsError
from arena.passwords import credential_of, hash_password, is_password, store_hash, stored_hash
from arena.service import Arena
from arena.settings import load_settings

PASSWORD = "correct horse battery"


def test_a_password_is_known_by_its_hash_alone() -> None:
    hashed = hash_password(PASSWORD)

    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in hashed
    assert is_password(PASSWORD, of=hashed)
    assert not is_password(PASSWORD + "!", of=hashed)
    assert not is_password("x" * 2_000, of=hashed)
    assert not is_password(PASSWORD, of="$argon2id$broken")
    assert credential_of(hashed) != credential_of(hash_password(PASSWORD))


@pytest.mark.parametrize("password", ["", "short", " " * 20, "x" * 1_001])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(SettingsError, match="12 to 1,000 characters"):
        hash_password(password)


def test_the_hash_lies_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    hashed = hash_password(PASSWORD)

    path = store_hash(hashed, data_dir=tmp_path / "new")

    assert path.stat().st_mode & 0o777 == 0o600
    assert stored_hash(tmp_path / "new") == hashed
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["admin-password"]
    assert stored_hash(tmp_path / "elsewhere") is None


def test_a_hash_that_others_could_have_written_is_refused(tmp_path: Path) -> None:
    path = store_hash(hash_password(PASSWORD), data_dir=tmp_path)
    path.chmod(0o644)

    with pytest.raises(SettingsError, match="chmod 600"):
        stored_hash(tmp_path)


def test_a_damaged_or_unreadable_file_says_what_to_do(tmp_path: Path) -> None:
    path = store_hash("nothing of the kind", data_dir=tmp_path)

    with pytest.raises(SettingsError, match="arena admin password"):
        stored_hash(tmp_path)
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises(SettingsError, match="cannot be read"):
        stored_hash(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str, typed: str) -> object:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    monkeypatch.setenv("ARENA_DATA_DIR", str(folder))
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as ended:
        main(["admin", "password", *arguments])
    return ended.value.code


def test_the_command_reads_the_password_from_its_input_and_keeps_a_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, typed=f"{PASSWORD}\n") == 0

    hashed = load_settings(environ=os.environ).password_hash()
    assert hashed is not None
    assert is_password(PASSWORD, of=hashed)
    assert PASSWORD not in capsys.readouterr().out


def test_the_command_can_print_a_hash_for_the_variable_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, "--print", typed=f"{PASSWORD}\n") == 0

    printed = capsys.readouterr().out.strip()
    assert not (tmp_path / "admin-password").exists()
    settings = load_settings(environ={"ARENA_ADMIN_PASSWORD_HASH": printed, "ARENA_DATA_DIR": str(tmp_path)})
    assert settings.password_hash() == printed
    assert printed not in repr(settings)


def test_the_command_says_so_when_a_variable_goes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARENA_ADMIN_PASSWORD_HASH", hash_password("another good password"))

    assert run(monkeypatch, tmp_path, typed=f"{PASSWORD}\n") == 0

    assert "goes before it" in capsys.readouterr().out


def test_the_command_refuses_a_weak_password_and_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, typed="hunter2\n") == 2

    assert "12 to 1,000" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_at_a_terminal_the_password_is_asked_for_twice_and_never_shown(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "arena", "admin", "password"]
    environ = {**os.environ, "ARENA_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(
        command, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        shown = _until(ours, b"administrator: ")
        os.write(ours, f"{PASSWORD}\n".encode())
        shown += _until(ours, b"again: ")
        os.write(ours, b"something else entirely\n")
        shown += _until(ours, b"nothing was changed.")
    os.close(ours)
    os.close(theirs)

    assert process.returncode == 2
    assert PASSWORD.encode() not in shown
    assert not (tmp_path / "data" / "admin-password").exists()


def _until(terminal: int, wanted: bytes) -> bytes:
    shown = b""
    while wanted not in shown:
        shown += os.read(terminal, 1_000)
    return shown


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('admin_password_hash = "$argon2id$x"', "ARENA_ADMIN_PASSWORD_HASH"),
        ('[login]\nclient_secret = "x"', "ARENA_LOGIN__CLIENT_SECRET"),
        ('[login]\nclient_id = "x"', "server_metadata_url and redirect_uri"),
        ('[login]\nredirect_uri = "http://a/"\nclient_id = "x"\nserver_metadata_url = "u"', "oauth2callback"),
        ('[login]\nrequired_for = "everything"', "required_for"),
        ('[login]\nadmins = ["a"]', "unknown key"),
    ],
)
def test_settings_of_a_login_that_cannot_work_name_the_remedy(tmp_path: Path, text: str, remedy: str) -> None:
    (tmp_path / "arena.toml").write_text(text)

    with pytest.raises(SettingsError, match=remedy):
        load_settings(config=tmp_path / "arena.toml", environ={})


def test_a_login_without_its_secret_opens_no_arena(tmp_path: Path) -> None:
    text = '[login]\nclient_id = "x"\nserver_metadata_url = "u"\nredirect_uri = "http://a/oauth2callback"'
    (tmp_path / "arena.toml").write_text(text)
    settings = load_settings(config=tmp_path / "arena.toml", environ={})

    with pytest.raises(SettingsError, match="ARENA_LOGIN__CLIENT_SECRET"):
        Arena.open(settings, environ={})

    assert not (tmp_path / "arena-data").exists()


def test_settings_of_a_login_may_come_from_variables(tmp_path: Path) -> None:
    file = tmp_path / "arena.toml"
    file.write_text("")
    login = {
        "ARENA_LOGIN__SERVER_METADATA_URL": "https://login.example.com/.well-known/openid-configuration",
        "ARENA_LOGIN__CLIENT_ID": "arena",
        "ARENA_LOGIN__CLIENT_SECRET": "a client's secret",
        "ARENA_LOGIN__ADMINISTRATORS": "ann@example.com, group:arena admins",
    }

    with pytest.raises(SettingsError, match="redirect_uri"):
        load_settings(config=file, environ=login)
    with pytest.raises(SettingsError, match="oauth2callback"):
        load_settings(config=file, environ=login | {"ARENA_LOGIN__REDIRECT_URI": "https://arena.example.com/"})
    settings = load_settings(
        config=file, environ=login | {"ARENA_LOGIN__REDIRECT_URI": "https://arena.example.com/oauth2callback"}
    )

    assert settings.login.administrators == ("ann@example.com", "group:arena admins")
    assert "client's" not in repr(settings)


def test_what_is_no_hash_is_refused() -> None:
    with pytest.raises(SettingsError, match="arena admin password --print"):
        load_settings(environ={"ARENA_ADMIN_PASSWORD_HASH": "hunter2"})
