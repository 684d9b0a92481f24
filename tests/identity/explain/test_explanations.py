"""Why somebody was refused, gets in, and what an application receives: with a data plane of the test's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from doorward.assembly.explainer import Explainer
from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import add_member, update_user
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.explain import decisions
from doorward.identity.explain.access import access_now
from doorward.identity.explain.headers import contract
from doorward.identity.outposts.models import ProxyProvider
from doorward.messages.control import ToWorker
from doorward.messages.decisions import ChainTried, Decided, Decision, TrialOutcome, TryChain
from identity import proxied
from identity.flow_tab import Tab
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db


class DataPlane:
    """A control process's door, and a worker whose chain hands on whatever ``hands_on`` says."""

    def __init__(self, door: Path) -> None:
        self.door = door
        self.tried: list[TryChain] = []
        self.hole = ""
        """Name of a field that the chain hands on from the client."""
        self.gap = ""
        """Name of a field that the outpost says, and the chain does not hand on."""
        self.explainer = Explainer(self._worker)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def remember(self, *made: Decision) -> None:
        done = threading.Event()

        def hear() -> None:
            self.explainer.heard(Decided(made))
            done.set()

        self._loop.call_soon_threadsafe(hear)
        done.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self.explainer.listen(self.door))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0))

    def _worker(self, message: ToWorker) -> bool:
        assert isinstance(message, TryChain)
        self.tried.append(message)
        outcomes = []
        for trial in message.trials:
            if trial.session is None:
                outcomes.append(TrialOutcome(status=302, router="whoami@file"))
                continue
            given = (("X-authentik-username", trial.session.claims.preferred_username), ("X-authentik-jwt", "a.b."))
            holes = tuple(header for header in trial.headers if header[0] == self.hole)
            said = (*given, (self.gap, "said")) if self.gap else given
            outcomes.append(TrialOutcome(reached=True, status=204, headers=(*given, *holes), given=said))
        self.explainer.heard(ChainTried(message.ticket, tuple(outcomes)))
        return True


@pytest.fixture
def data_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataPlane]:
    plane = DataPlane(tmp_path / "explain.sock")
    monkeypatch.setenv("DOORWARD_EXPLAIN_SOCKET", str(plane.door))
    plane.start()
    yield plane
    plane.stop()


@pytest.fixture
def admin(flows: None, akadmin: User, password: str) -> Visitor:
    """akadmin, logged in."""
    return Visitor("akadmin", password)


def _decision(**facts: object) -> Decision:
    plain: dict[str, object] = {"id": "ab" * 16, "at": timezone.now().timestamp(), "reason": "no_session"}
    return Decision(**{**plain, **facts})  # type: ignore[arg-type]


def test_a_refused_person_is_explained_by_the_rules(
    data_plane: DataPlane, whoami: Application, mallory: User, password: str
) -> None:
    """Who is logged in and may not enter leaves a record under the id on the page, with what each rule said."""
    client = Client()
    Tab(client).log_in("mallory", password)
    provider = ProxyProvider.objects.get(application=whoami)
    asked = {
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uris[0]["url"],
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    page = client.get("/application/o/authorize/", asked)
    request_id = page.headers["X-authentik-id"]
    assert request_id in page.content.decode()
    [found] = decisions.explained(request_id[:8])
    assert (found.decision.reason, found.decision.user) == ("access_denied", "mallory")
    assert [(rule.passing, rule.reason) for rule in found.decision.weighed] == [
        (False, "mallory is not a member of the group “staff”")
    ]
    assert found.access is not None
    assert not found.access.passing


def test_a_failed_login_is_found_by_the_id_of_its_page(data_plane: DataPlane, login_flows: None, bob: User) -> None:
    """What refuses no application is told by its events, to whoever knows the whole id."""
    tab = Tab(Client())
    tab.submit(uid_field="bob")
    tab.response = tab.browser.post(tab.url, {"step": tab.hidden("step"), "password": "wrong wrong wrong"})
    request_id = tab.response.headers["X-authentik-id"]
    [found] = decisions.explained(request_id)
    assert found.decision.reason == "only_events"
    assert [event.action for event in found.events] == ["login_failed"]
    assert decisions.explained(request_id[:10]) == []


def test_when_and_why_a_session_ended_is_told(
    data_plane: DataPlane, whoami: Application, bob: User, akadmin: User
) -> None:
    """The record names the session by the first digits of its hash; the change log and the events know the rest."""
    session = proxied.enter(proxied.log_in(bob), whoami)
    digits = session.id_hash.hex()[:12]
    data_plane.remember(_decision(reason="session_gone", session=digits, application=whoami.slug))
    [live] = decisions.explained("abababab")
    assert live.session is not None
    assert (live.session.state, live.session.user) == ("live", "bob")
    update_user(Actor(akadmin, None, ""), bob, is_active=False)
    [ended] = decisions.explained("abababab")
    assert ended.session is not None
    assert ended.session.state == "ended"
    assert any("user bob, by akadmin" in cause for cause in ended.session.causes)


def test_why_somebody_gets_in(whoami: Application, bob: User, mallory: User, staff: Group) -> None:
    """Every rule with what it says about the person; the same question about somebody else is answered for them."""
    assert [(rule.binding, rule.passing) for rule in access_now(whoami, bob).weighed] == [("group staff", True)]
    assert not access_now(whoami, mallory).passing
    add_member(Actor.system(), staff, mallory)
    assert access_now(whoami, mallory).passing


def test_the_contract_hides_what_could_be_used(data_plane: DataPlane, whoami: Application, bob: User) -> None:
    """The token is decoded and not shown, unsigned where it is made, and a password among the attributes is stars."""
    bob.attributes = {"app_password": "hunter2-hunter2", "room": "12"}
    bob.save()
    found = contract(whoami, bob)
    assert [(line.name, line.value) for line in found.headers] == [
        ("X-authentik-username", "bob"),
        ("X-authentik-jwt", "a JWT (not shown)"),
    ]
    assert found.jwt["preferred_username"] == "bob"
    assert "hunter2" not in repr(found)
    session = data_plane.tried[0].trials[0].session
    assert session is not None
    assert session.access_token.endswith(".")  # no signature


@pytest.mark.parametrize(
    ("hole", "spelling"),
    [("X-authentik-groups", "as they are"), ("X_authentik_groups", "underscores"), ("X.authentik.groups", "dots")],
)
def test_a_forged_field_that_arrives_is_found(
    data_plane: DataPlane, whoami: Application, bob: User, hole: str, spelling: str
) -> None:
    """A chain with a hole is told apart from one without, for the very spelling that gets through."""
    assert all(line.held for line in contract(whoami, bob, spoof=True).spoof)
    data_plane.hole = hole
    lines = [line for line in contract(whoami, bob, spoof=True).spoof if not line.held]
    assert any(spelling in line.spelling for line in lines)
    assert {name for line in lines for name in line.arrived} == {hole}


def test_what_the_router_does_not_hand_on(
    data_plane: DataPlane, admin: Visitor, whoami: Application, bob: User
) -> None:
    """A field out of somebody's attributes that no ``authResponseHeaders`` names is missed, on the page as well."""
    assert not contract(whoami, bob).lost
    admin.open("/if/admin/applications/whoami/headers/?check=bob")
    assert "do not name them" not in admin.raw
    data_plane.gap = "X-Team"
    assert [line.name for line in contract(whoami, bob).lost] == ["X-Team"]
    admin.open("/if/admin/applications/whoami/headers/?check=bob")
    assert "do not name them:" in admin.raw
    assert "<code>X-Team</code></span>" in admin.raw


def test_the_pages_say_the_same(data_plane: DataPlane, admin: Visitor, whoami: Application, bob: User) -> None:
    """List, one decision, who gets in, headers and the forging, each on its page."""
    data_plane.remember(_decision(host="<b>evil</b>.test", client="203.0.113.9", method="GET", path="/"))
    admin.open("/if/admin/explain/")
    assert "&lt;b&gt;evil" in admin.raw
    assert "<b>evil" not in admin.raw
    assert "abababab" in admin.open("/if/admin/explain/?q=203.0.113.9&reason=no_session")
    assert "No refusal on record fits" in admin.open("/if/admin/explain/?q=elsewhere")
    assert "The browser brought no session" in admin.open("/if/admin/explain/abababab/")
    assert "Nothing is known" in admin.open("/if/admin/explain/ffffffff/")
    assert "Yes, bob may enter whoami" in admin.open("/if/admin/explain/?application=whoami&user=bob")
    assert "X-authentik-username" in admin.open("/if/admin/applications/whoami/headers/?check=bob")
    data_plane.hole = "X_authentik_groups"
    admin.send("/if/admin/applications/whoami/headers/?check=bob")
    assert admin.answer.status_code == 200
    assert "X_authentik_groups" in admin.text


def test_without_a_data_plane_the_pages_say_so(
    admin: Visitor, whoami: Application, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The control process is away: no page breaks."""
    monkeypatch.setenv("DOORWARD_EXPLAIN_SOCKET", str(tmp_path / "nobody.sock"))
    for path in ("explain/", "explain/abababab/", "applications/whoami/headers/"):
        assert "does not answer" in admin.open(f"/if/admin/{path}")
