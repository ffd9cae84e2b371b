"""A provider of OpenID Connect of our own: discovery, authorization with PKCE, tokens signed by a real RSA key."""

import base64
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "arena", "the client's own secret"


class Provider:
    """Whoever comes is `claims`, without being asked; `age_seconds` is how long ago the login was."""

    def __init__(self) -> None:
        self.claims: Mapping[str, Any] = {"sub": "ann"}
        self.age_seconds = 0
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"}, private=True)
        self.codes: dict[str, dict[str, str]] = {}
        self.url = ""

    def metadata(self) -> dict[str, object]:
        """What discovery says."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes next."""
        assert asked["client_id"] == CLIENT
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str], authorization: str) -> dict[str, object]:
        """The tokens for a code, once."""
        assert base64.b64decode(authorization.removeprefix("Basic ")).decode().startswith(f"{CLIENT}:")
        began = self.codes.pop(asked["code"])
        challenge = base64.urlsafe_b64encode(sha256(asked["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        assert began["code_challenge"] == challenge
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "exp": now + 600,
            "iat": now - self.age_seconds,
            "nonce": began["nonce"],
            **self.claims,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "id_token": signed}


@contextmanager
def oidc_server() -> Iterator[Provider]:
    """A provider that listens on a free port."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if path.path == "/authorize":
                self.send_response(HTTPStatus.FOUND)
                self.send_header("location", provider.authorize(_flat(path.query)))
                self.send_header("content-length", "0")
                self.end_headers()
            elif path.path == "/jwks":
                self._answer({"keys": [provider.key.as_dict(private=False)]})
            elif path.path == "/.well-known/openid-configuration":
                self._answer(provider.metadata())
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer(provider.token(_flat(body), self.headers["authorization"]))

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

        def _answer(self, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
