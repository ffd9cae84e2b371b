"""`arena admin …`: what the administrator of the machine does for the administrator of the arena."""

import sys
from typing import Annotated

import typer

from arena.cli_output import Config, say, settings_of
from arena.errors import SettingsError

admin = typer.Typer(help="The administrator's password.", no_args_is_help=True, rich_markup_mode=None)

STORED = "The password is set, and every session of the administrator has ended. It is kept as a hash in {path}."
FROM_VARIABLE = " ARENA_ADMIN_PASSWORD_HASH is set, too, and goes before it: unset it, or --print a hash for it."


@admin.callback()
def _admin() -> None:
    """A group, though it has one command."""


@admin.command("password", epilog="Examples: arena admin password · arena admin password --print < file")
def password(
    config: Config = None,
    *,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the hash, for ARENA_ADMIN_PASSWORD_HASH, and store nothing.")
    ] = False,
) -> None:
    """Set the password of the admin page: asks for it twice, or reads it from the first line of its input."""
    from arena.passwords import hash_password, store_hash

    settings = settings_of(config)
    hashed = hash_password(_asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n"))
    if only_print:
        say(hashed)
        return
    path = store_hash(hashed, data_dir=settings.data_dir)
    say(STORED.format(path=path) + (FROM_VARIABLE if settings.admin_password_hash is not None else ""))


def _asked() -> str:
    import getpass

    first = getpass.getpass("New password of the administrator: ")
    if getpass.getpass("The same again: ") != first:
        raise SettingsError("The two passwords differ: nothing was changed.")
    return first
