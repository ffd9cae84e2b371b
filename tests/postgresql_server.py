"""A real PostgreSQL of the tests' own: made, started, killed and removed by them."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic

import psycopg

OLDEST = 15
DEADLINE_SECONDS = 30
REMEDY = f"PostgreSQL {OLDEST} or newer is not installed: apt install postgresql-15"
# It runs as somebody who owns nothing: the server refuses to be run by root.
NOBODY, NOGROUP = 65534, 65534
# "locked" has to know a password. Texts sort by language, as on most servers, not by code point.
ACCESS = "local all locked scram-sha-256\nlocal all all trust\n"
INITDB = ("-U", "arena", "-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")


class PostgresServer:
    """A server on a socket in a folder of its own.

    What `kill` takes away is in no danger without `fsync`, which a cut of the machine's power needs: the kernel has it.
    """

    def __init__(self, binaries: Path, *, fsync: bool = True) -> None:
        self._fsync = fsync
        self.folder = Path(tempfile.mkdtemp(prefix="arena-pg-"))
        self._binaries = binaries
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOGROUP)
        self._data = self.folder / "data"
        command = self._as_nobody(binaries / "initdb", "-D", self._data, *INITDB)
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)
        (self._data / "pg_hba.conf").write_text(ACCESS)

    def start(self) -> None:
        """Start it and wait until it serves."""
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "max_connections": 200}
        settings |= {} if self._fsync else {"fsync": "off", "full_page_writes": "off"}
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = self._as_nobody(self._binaries / "postgres", "-D", self._data, *flags)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        end = monotonic() + DEADLINE_SECONDS
        while not self._serves():
            assert monotonic() < end, (self.folder / "log").read_text()
            Event().wait(0.02)

    def stop(self) -> None:
        """End it as an operator does who does not wait for clients."""
        self._end(signal.SIGINT)

    def restart_as_standby(self) -> None:
        """Start it anew as what only reads until it is promoted, as behind a switch to another server."""
        self.stop()
        (self._data / "standby.signal").touch()
        self.start()

    def promote(self) -> None:
        """Let a standby write; returns once it does."""
        self.run("SELECT pg_promote()")

    def kill(self) -> None:
        """End it and all its children at once, as a power cut of the process would."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(DEADLINE_SECONDS)

    def remove(self) -> None:
        """Stop it and take its files away."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str, *, user: str = "arena", password: str = "") -> str:
        who = f"{user}:{password}" if password else user
        return f"postgresql+psycopg://{who}@/{database}?host={self.folder}"

    def create(self, *, template: str = "template0", options: str = "STRATEGY WAL_LOG") -> str:
        """Make a database; its name."""
        name = f"test_{next(self._names)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} {options}")
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str, *, database: str = "postgres") -> None:
        with self.connection(database) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def connection(self, database: str) -> Iterator[psycopg.Connection]:
        with psycopg.connect(host=str(self.folder), user="arena", dbname=database, autocommit=True) as connection:
            yield connection

    def _serves(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, with_signal: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.wait(DEADLINE_SECONDS)

    def _as_nobody(self, *command: object) -> list[str]:
        # Should the tests be killed, it ends with them.
        watch = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        if os.geteuid() == 0:
            watch += [f"--reuid={NOBODY}", f"--regid={NOGROUP}", "--clear-groups"]
        return [*watch, *map(str, command)]


def binaries() -> Path | None:
    """Where the newest PostgreSQL's programs are; None without one that is new enough."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which("pg_ctl")
    candidates = [path for path in debian if float(path.parent.name) >= OLDEST]
    return candidates[-1] if candidates else Path(found).resolve().parent if found else None
