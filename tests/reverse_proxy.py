"""A real nginx that runs `deploy/nginx.conf`, with other ports, and a second front that lies about its visitors."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.fault_server import wait_until

ROOT: Final = Path(__file__).parents[1]
REMEDY: Final = "nginx is not installed: apt install nginx-light"
# Documentation addresses: where a stranger really comes from, and where he says he comes from.
STRANGER, PRETENDED = "198.51.100.7", "203.0.113.9"

AROUND = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log access.log;
    default_type application/octet-stream;
    client_body_temp_path body; proxy_temp_path proxied; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    set_real_ip_from 127.0.0.1; # only so can somebody on this machine come from another address
    real_ip_header X-Test-Address;
    include arena.conf;
    server {{
        listen 127.0.0.1:{strange_port};
        location / {{
            proxy_pass http://127.0.0.1:{port};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $arena_connection;
            proxy_set_header Host 127.0.0.1:{port};
            proxy_set_header Origin http://127.0.0.1:{port};
            proxy_set_header X-Test-Address {stranger};
            proxy_set_header X-Forwarded-For {pretended};
            proxy_set_header Forwarded for={pretended};
        }}
    }}
}}
"""


class ReverseProxy:
    """nginx before the replicas on these ports: `url` is for visitors.

    Who uses `strange_url` comes from `STRANGER` and claims to come from `PRETENDED`.
    """

    def __init__(self, folder: Path, *, replicas: Sequence[int], port: int, strange_port: int) -> None:
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if nginx is None:
            assert os.environ.get("CI") != "true", REMEDY
            pytest.skip(REMEDY)
        self.url, self.strange_url = (f"http://127.0.0.1:{each}" for each in (port, strange_port))
        folder.mkdir()
        (folder / "arena.conf").write_text(_moved(replicas, port))
        around = AROUND.format(port=port, strange_port=strange_port, stranger=STRANGER, pretended=PRETENDED)
        (folder / "nginx.conf").write_text(around)
        self._log = folder / "log"
        self._command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]

    def check(self) -> subprocess.CompletedProcess[str]:
        """What nginx itself says about the files."""
        return subprocess.run([*self._command, "-t"], capture_output=True, text=True, check=False)

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self._listens)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(30) == 0, self._log.read_text()

    def _listens(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            with urlopen(f"{self.url}/metrics", timeout=5):
                return False
        except URLError as error:
            return getattr(error, "code", None) == 404


def _moved(replicas: Sequence[int], port: int) -> str:
    """The file as it is, on ports that are free here."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    places = {"listen 8080;": f"listen 127.0.0.1:{port};"}
    places |= {f"server arena-{n}:8501 ": f"server 127.0.0.1:{where} " for n, where in enumerate(replicas, start=1)}
    for old, new in places.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text
