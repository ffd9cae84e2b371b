"""Two replicas of an arena on one PostgreSQL, with nginx before them: three programs as in earnest."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

from tests.e2e.arena_process import ArenaProcess, Model
from tests.reverse_proxy import ReverseProxy

SECRET = "what both replicas sign the cookies with"


@dataclass(frozen=True, slots=True)
class Deployment:
    """Both replicas, each with its own address, and the proxy that visitors use."""

    replicas: tuple[ArenaProcess, ArenaProcess]
    proxy: ReverseProxy

    def serving(self, port: int) -> ArenaProcess:
        """The replica that is connected to a server on this machine."""
        (found,) = (each for each in self.replicas if each.connects_to(port))
        return found

    def other(self, than: ArenaProcess) -> ArenaProcess:
        (found,) = (each for each in self.replicas if each is not than)
        return found


@contextmanager
def deployment(folder: Path, *, database_url: str, models: Sequence[Model], **settings: Any) -> Iterator[Deployment]:  # noqa: ANN401 - what ArenaProcess takes
    """Both started at the same moment, on a database that may be empty."""

    def start(name: str) -> ArenaProcess:
        (folder / name).mkdir()
        return ArenaProcess(folder / name, models=models, database_url=database_url, secret=SECRET, **settings)

    with ExitStack() as stack, ThreadPoolExecutor() as starting:
        first, second = starting.map(start, ("arena-1", "arena-2"))
        for replica in (first, second):
            stack.callback(replica.close)
        port, strange_port = _free_ports()
        proxy = ReverseProxy(folder / "nginx", replicas=(first.port, second.port), port=port, strange_port=strange_port)
        yield Deployment((first, second), stack.enter_context(proxy))


def _free_ports() -> tuple[int, int]:
    with create_server(("127.0.0.1", 0)) as one, create_server(("127.0.0.1", 0)) as other:
        return int(one.getsockname()[1]), int(other.getsockname()[1])
