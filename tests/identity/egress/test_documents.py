"""Documents of others: asked for seldom, believed for a while, and not missed when their server is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doorward.identity.egress import client, documents

URL = "https://issuer.example.test/jwks"


class Server:
    """What is published, and how often it was asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.says: documents.Document | client.NotAsked = {"version": 1}

    def answer(self, url: str, private: bool) -> documents.Document:
        self.asked += 1
        if isinstance(self.says, client.NotAsked):
            raise self.says
        return self.says


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setattr(documents, "_asked", server.answer)
    documents.forget()
    yield server
    documents.forget()


def test_it_is_asked_for_once(server: Server) -> None:
    """However many need it."""
    assert [documents.get(URL, private=False) for _ in range(5)] == [{"version": 1}] * 5
    assert server.asked == 1


# S-447
def test_reasons_for_a_newer_one_do_not_flood(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only after the pause is it asked for again."""
    documents.get(URL, private=False)
    server.says = {"version": 2}
    assert {documents.get(URL, private=False, newer=True)["version"] for _ in range(5)} == {1}
    monkeypatch.setattr(documents, "PAUSE", 0.0)
    assert documents.get(URL, private=False, newer=True) == {"version": 2}
    assert server.asked == 2


# S-447
def test_a_server_that_is_away_is_not_asked_by_everybody(server: Server) -> None:
    """The first waits for it; the others hear at once what the first heard."""
    server.says = client.Unreachable("away")
    for _ in range(5):
        with pytest.raises(client.Unreachable, match="away"):
            documents.get(URL, private=False)
    assert server.asked == 1


def test_what_is_fresh_is_good_while_its_server_is_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's unknown key does not take the known ones from everybody; when it is old, nothing is believed."""
    documents.get(URL, private=False)
    server.says = client.Unreachable("away")
    monkeypatch.setattr(documents, "PAUSE", 0.0)
    assert documents.get(URL, private=False, newer=True) == {"version": 1}
    monkeypatch.setattr(documents, "FRESH", 0.0)
    with pytest.raises(client.Unreachable):
        documents.get(URL, private=False)
