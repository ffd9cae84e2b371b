"""Read an arena's JSON API: `python client.py https://arena.example.com`. Needs nothing but Python."""

import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

NOT_MODIFIED, TOO_MANY = 304, 429


class ArenaClient:
    """Asks politely: it waits when it is told to, and fetches nothing that it has already."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/api/v1/"
        self._known: dict[str, tuple[str, Any]] = {}  # address to tag and answer
        self.not_modified = 0

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON is anything
        """One answer, as in docs/data.md; urllib.error.HTTPError carries the problem as JSON."""
        address = self._url + path + ("?" + urlencode(query, doseq=True) if query else "")
        tag, answer = self._known.get(address, ("", None))
        request = urllib.request.Request(address, headers={"If-None-Match": tag} if tag else {})
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    seconds = reply.headers.get("Retry-After")  # it is still being computed
                    if seconds is None:
                        answer = json.load(reply)
                        self._known[address] = (reply.headers["ETag"], answer)
                        return answer
            except urllib.error.HTTPError as error:
                if error.code == NOT_MODIFIED:
                    self.not_modified += 1
                    return answer
                if error.code != TOO_MANY:
                    raise
                seconds = error.headers["Retry-After"]
            time.sleep(int(seconds))


def main(url: str) -> None:
    """Print the leaderboard, and how the best two would fare against each other."""
    arena = ArenaClient(url)
    standings = arena.get("standings")
    for line in standings["models"]:
        print(f"{line['elo']:7.1f}  {line['battles']:5} battles  {line['model']}")
    best, second = (line["model"] for line in standings["models"][:2])
    pair = arena.get("win-probability", a=best, b=second)
    chance = pair["forecast"] and pair["forecast"]["chance"]
    if chance:
        print(f"{best} is preferred to {second}: {chance['lower']:.0%} to {chance['upper']:.0%}")
    else:
        print(pair["forecast"]["reason"] if pair["forecast"] else pair["reason"])
    arena.get("standings")
    print("The board has not moved since: not modified." if arena.not_modified else "The board has moved.")


if __name__ == "__main__":
    main(sys.argv[1])
