"""What ends a session ends everything on it: one test per cause, on a WebSocket, an event stream and a plain request.

At the application that our own proxy protects in the same process (``app``) within a second of the cause; behind an
outpost that is asked over HTTP (``over``) plain requests as well, and what is open when it is asked about again.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from peers.processes import eventually
from peers.questions import Answer
from security.raw import connected
from security.recording_application import Recorded
from security.stage import BOB, Stage, cookie_line, websocket_lines
from security.test_room_e import registered
from security.visitor import Visitor

pytestmark = pytest.mark.timeout(90)


class Member:
    """Somebody with a browser of their own, logged in at an application of their own, with everything open."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name = stage, name
        self.username = f"member-{time.monotonic_ns()}"
        api = stage.api
        self.group = api.group(f"group-of-{self.username}")["pk"]
        self.pk = api.person(self.username, BOB, self.group)["pk"]
        stage.people[self.username] = self.pk
        self.binding = api.bind(stage.applications[name], group=self.group)
        self.visitor: Visitor = stage.logged_in(name, self.username)
        self.session = self.visitor.cookie(f"{name}.example.test", "authentik_proxy_")

    def gone(self) -> None:
        with contextlib.suppress(AssertionError):
            self.stage.api.delete(f"/policies/bindings/{self.binding['pk']}/")
        with contextlib.suppress(AssertionError):
            self.stage.api.delete(f"/core/users/{self.pk}/")
        with contextlib.suppress(AssertionError):
            self.stage.api.delete(f"/core/groups/{self.group}/")
        self.stage.people.pop(self.username, None)

    def gets_in(self) -> bool:
        return self.stage.reached(self.stage.ask(self.name, cookie_line(self.session)))

    @contextlib.contextmanager
    def everything_open(self) -> Iterator[list[socket.socket]]:
        """A WebSocket and an event stream that have begun."""
        stage, host = self.stage, f"{self.name}.example.test"
        origin = b"Origin: " + stage.url(self.name).encode()
        port = stage.program.https_port
        with connected(port, host) as web_socket, connected(port, host) as stream:
            for peer, path, more in ((web_socket, b"/ws", [*websocket_lines(), origin]), (stream, b"/events", [])):
                lines = (b"GET " + path + b" HTTP/1.1", b"Host: " + stage.host(self.name), *more)
                peer.sendall(b"\r\n".join((*lines, cookie_line(self.session), b"", b"")))
            assert b" 101 " in web_socket.recv(65536)
            read = b""
            while b"data: one" not in read:
                read += stream.recv(65536)
            yield [web_socket, stream]


def events(peer: socket.socket, request: Recorded) -> None:
    """An endless stream: it ends when whoever reads it is gone."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
    peer.settimeout(30)
    peer.recv(1)


def read_to_the_end(peer: socket.socket) -> None:
    """Until it is cut. Raises TimeoutError when it is not."""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while peer.recv(65536):
            pass


@pytest.fixture
def streams(stage: Stage) -> Iterator[None]:
    stage.application.acts[b"/events"] = events
    yield
    del stage.application.acts[b"/events"]


@pytest.fixture
def member(stage: Stage, streams: None) -> Iterator[Member]:
    member = Member(stage, "app")
    yield member
    member.gone()


Cause = Callable[[Member], object]


def log_in_elsewhere(member: Member) -> dict[str, Any]:
    """The login session of the member, as the list of the administrator has it."""
    found: dict[str, Any] = member.stage.api.first("/core/authenticated_sessions/", user__username=member.username)
    return found


CAUSES: dict[str, Cause] = {
    "signs out of the application": lambda member: member.visitor.get(
        f"{member.stage.url(member.name)}/outpost.goauthentik.io/sign_out"
    ),
    "logs out at the identity provider": lambda member: member.visitor.open(
        f"{member.stage.url('auth')}/flows/-/default/invalidation/"
    ),
    "an application ends the login (RP-initiated logout)": lambda member: member.visitor.follow(
        member.stage.url(member.name),
        member.visitor.get(f"{member.stage.url(member.name)}/outpost.goauthentik.io/sign_out"),
    ),
    "an administrator ends the login": lambda member: member.stage.api.delete(
        f"/core/authenticated_sessions/{log_in_elsewhere(member)['uuid']}/"
    ),
    "is disabled": lambda member: member.stage.api.patch(f"/core/users/{member.pk}/", is_active=False),
    "is deleted": lambda member: member.stage.api.delete(f"/core/users/{member.pk}/"),
    "leaves the group": lambda member: member.stage.api.patch(f"/core/users/{member.pk}/", groups=[]),
    "has a new password": lambda member: member.stage.api.post(
        f"/core/users/{member.pk}/set_password/", password=BOB + "-new"
    ),
    "the group is deleted": lambda member: member.stage.api.delete(f"/core/groups/{member.group}/"),
    "the binding is taken away": lambda member: member.stage.api.delete(f"/policies/bindings/{member.binding['pk']}/"),
    "the binding is turned around": lambda member: member.stage.api.patch(
        f"/policies/bindings/{member.binding['pk']}/", negate=True
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_it_ends_everywhere_within_a_second(stage: Stage, member: Member, cause: str) -> None:
    """What is open is cut, and nothing passes any more."""
    # S-228, S-321, S-322, S-323
    assert member.gets_in()
    with member.everything_open() as open_ones:
        CAUSES[cause](member)
        for peer in open_ones:
            peer.settimeout(3)
            read_to_the_end(peer)
    eventually(lambda: not member.gets_in(), within=3, what="plain requests no longer pass")


def test_a_client_of_its_own_ends_the_login_when_its_flow_says_so(stage: Stage, member: Member) -> None:
    """RP-initiated logout at an ordinary OpenID Connect client: with the flow that logs out everything that came of the
    login ends; with the provider's usual one only that client is left, and the login and its sessions go on."""
    # S-322, S-443
    with contextlib.contextmanager(registered)(stage) as client:
        client = dataclasses.replace(client, browser=member.visitor)
        id_token = json.loads(client.redeem(*client.code()).body)["id_token"]
        stage.secrets.add(id_token)
        leave = f"{stage.url('auth')}/application/o/{client.slug}/end-session/?id_token_hint={id_token}"

        _, page = member.visitor.open(leave)
        assert page.status == 200
        assert member.gets_in()

        provider = stage.api.first("/providers/oauth2/", client_id=client.client_id)["pk"]
        logging_out = stage.api.first("/flows/instances/", slug="default-invalidation-flow")["pk"]
        stage.api.patch(f"/providers/oauth2/{provider}/", invalidation_flow=logging_out)
        with member.everything_open() as open_ones:
            member.visitor.open(leave)
            for peer in open_ones:
                peer.settimeout(3)
                read_to_the_end(peer)
        eventually(lambda: not member.gets_in(), within=3, what="plain requests no longer pass")


def test_a_deleted_application_lets_nobody_stay(stage: Stage, streams: None) -> None:
    """Its provider has nothing to serve any more."""
    # S-321
    provider = stage.api.first("/providers/proxy/", name__iexact="app2")
    was = stage.applications["app2"]
    member = Member(stage, "app2")
    try:
        assert member.gets_in()
        with member.everything_open() as open_ones:
            stage.api.delete("/core/applications/app2/")
            for peer in open_ones:
                peer.settimeout(3)
                read_to_the_end(peer)
        eventually(lambda: not member.gets_in(), within=3, what="plain requests no longer pass")
    finally:
        again = stage.api.post("/core/applications/", name=was["name"], slug="app2", provider=provider["pk"])
        stage.applications["app2"] = again
        member.gone()
        stage.forget_sessions("app2")
        stage._visitors.clear()
        eventually(lambda: stage.ask("app2", b"Accept: text/html").status == 302, within=2, what="app2 is back")


@pytest.mark.parametrize("cause", ["is disabled", "signs out of the application"])
def test_behind_an_outpost_that_is_asked_over_http(stage: Stage, streams: None, cause: str) -> None:
    """Plain requests end at once; what is open when the outpost is asked again, here every second."""
    # S-228, S-321
    member = Member(stage, "over")
    try:
        with member.everything_open() as open_ones:
            CAUSES[cause](member)
            eventually(lambda: not member.gets_in(), within=3, what="plain requests no longer pass")
            for peer in open_ones:
                peer.settimeout(6)
                read_to_the_end(peer)
    finally:
        member.gone()
        stage.forget_sessions("over")


def test_a_revoked_app_password_cuts_what_it_opened(stage: Stage, member: Member) -> None:
    """A program's stream goes with its credential."""
    # S-321
    api = stage.api
    made = api.post(
        "/core/tokens/", identifier=f"for-{member.username}", intent="app_password", user=member.pk, expiring=False
    )
    key = api.get(f"/core/tokens/{made['identifier']}/view_key/")["key"]
    stage.secrets.add(key)
    basic = base64.b64encode(f"{member.username}:{key}".encode())
    lines = (b"GET /events HTTP/1.1", b"Host: " + stage.host("app"), b"Authorization: Basic " + basic, b"", b"")
    with connected(stage.program.https_port, "app.example.test") as stream:
        stream.sendall(b"\r\n".join(lines))
        read = b""
        while b"data: one" not in read:
            read += stream.recv(65536)
        api.delete(f"/core/tokens/{made['identifier']}/")
        stream.settimeout(3)
        read_to_the_end(stream)


def login_page(visitor: Visitor, page: str, *fields: tuple[str, str]) -> tuple[str, Answer]:
    """Where a stranger who asks for ``page`` is led; a machine that is too busy to answer is asked again."""
    for _ in range(5):
        place, answer = visitor.follow(page, visitor.get(page, *fields))
        if answer.status != 503:
            break
    assert "uid_field" in answer.text, (place, answer.status, answer.text[:2000])
    return place, answer


def test_ten_tabs_of_an_ended_session_all_come_back(stage: Stage, member: Member) -> None:
    """Each asks for its page when the session is over, before any of them logs in; then each gets there."""
    stage.api.delete(f"/core/authenticated_sessions/{log_in_elsewhere(member)['uuid']}/")
    # Each worker hears of it by itself, and each of these connections may be any one's.
    eventually(lambda: not any(member.gets_in() for _ in range(16)), within=10, what="the session is over everywhere")
    pages = [f"{stage.url(member.name)}/tab/{number}?q={number}" for number in range(10)]
    old = ("Cookie", "=".join(member.session))  # as a browser sends it that opens all its tabs at once
    tabs = [login_page(member.visitor, page, old) for page in pages]

    place, answer = member.visitor.submit(*tabs[4], uid_field=member.username)
    place, answer = member.visitor.submit(place, answer, password=BOB)
    assert (place, answer.status) == (pages[4], 200)

    for wanted, (waiting, _) in zip(pages, tabs, strict=True):
        place, answer = member.visitor.open(waiting)
        assert (place, answer.status) == (wanted, 200)
