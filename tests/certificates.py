"""Certificates for 127.0.0.1, good and bad ones, made when they are needed: no key lies in the repository."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE, ELSEWHERE = "IP:127.0.0.1", "DNS:elsewhere.invalid"
LONG_AGO, FAR_AHEAD = "20200101000000Z", "21200101000000Z"
CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = issued
new_certs_dir = .
certificate = authority.pem
private_key = key.pem
rand_serial = yes
default_md = sha256
policy = any_name
copy_extensions = copy
unique_subject = no
x509_extensions = leaf
[leaf]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[any_name]
commonName = supplied
[req]
distinguished_name = nobody
[nobody]
"""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files with a certificate and its key each; `authority` signed all but `stranger`, which signed itself."""

    authority: Path
    good: Path
    expired: Path
    wrong_host: Path
    stranger: Path


def make_certificates(folder: Path) -> Certificates:
    """Make them in `folder`; the test is skipped where there is no `openssl` command, except in CI."""
    if shutil.which("openssl") is None:
        missing = "The `openssl` command is missing"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    (folder / "configuration").write_text(CONFIGURATION)
    (folder / "issued").touch()
    _openssl(folder, "ecparam -name prime256v1 -genkey -noout -out key.pem")
    return Certificates(
        authority=_self_signed(folder, "authority", "basicConstraints=critical,CA:true", "keyUsage=keyCertSign"),
        good=_signed(folder, "good", host=HERE, until=FAR_AHEAD),
        expired=_signed(folder, "expired", host=HERE, until="20210101000000Z"),
        wrong_host=_signed(folder, "wrong-host", host=ELSEWHERE, until=FAR_AHEAD),
        stranger=_self_signed(folder, "stranger", f"subjectAltName={HERE}"),
    )


def _self_signed(folder: Path, name: str, *extensions: str) -> Path:
    added = " ".join(f"-addext {extension}" for extension in ("subjectKeyIdentifier=hash", *extensions))
    _openssl(folder, f"req -x509 -config configuration -key key.pem -subj /CN={name} -days 36500 {added}", name)
    return _with_key(folder, name)


def _signed(folder: Path, name: str, *, host: str, until: str) -> Path:
    _openssl(
        folder, f"req -config configuration -key key.pem -new -subj /CN={name} -addext subjectAltName={host}", "wish"
    )
    _openssl(
        folder, f"ca -batch -notext -config configuration -in wish.pem -startdate {LONG_AGO} -enddate {until}", name
    )
    return _with_key(folder, name)


def _with_key(folder: Path, name: str) -> Path:
    both = folder / f"{name}-with-key.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / f"{name}.pem").read_bytes())
    return both


def _openssl(folder: Path, arguments: str, out: str | None = None) -> None:
    command = ["openssl", *arguments.split(), *(["-out", f"{out}.pem"] if out else [])]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
