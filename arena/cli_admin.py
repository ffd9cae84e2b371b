"""`arena admin …`: what the administrator of the machine does for the administrator of the arena."""

import sys
from typing import Annotated

import typer

from arena.cli_output import ACTOR, Config, say, settings_of, store_to_write
from arena.errors import SettingsError

admin = typer.Typer(
    help="The administrator's password, and the secret that signs cookies.", no_args_is_help=True, rich_markup_mode=None
)

STORED = "The password is set, and every session of the administrator has ended. It is kept as a hash in {path}."
ACCEPTED = (
    "Accepted: from now on this secret is the one of the database. Start again whatever arena still has another one; "
    "whoever has a cookie of that becomes a new voter, and administrators sign in again."
)
NOTHING_NEW = "This is the secret that the database knows already: nothing was changed."
FROM_VARIABLE = " ARENA_ADMIN_PASSWORD_HASH is set, too, and goes before it: unset it, or --print a hash for it."


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


@admin.command("accept-secret", epilog="Example: arena admin accept-secret --reason 'changed on Monday'")
def accept_secret(
    reason: Annotated[str, typer.Option(help="Kept in the audit log.")],
    config: Config = None,
) -> None:
    """Let the database know an ARENA_SECRET (or a file `secret`) that was changed on purpose: the warnings end."""
    from arena.people import People

    with store_to_write(config) as store:
        accepted = People(settings_of(config), store).accept_secret(actor=ACTOR, reason=reason)
    say(ACCEPTED if accepted else NOTHING_NEW)


def _asked() -> str:
    import getpass

    first = getpass.getpass("New password of the administrator: ")
    if getpass.getpass("The same again: ") != first:
        raise SettingsError("The two passwords differ: nothing was changed.")
    return first
