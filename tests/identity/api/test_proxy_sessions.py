"""Sessions at applications by the API: seen and ended by whom they are of, and by administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group, User
    from doorward.messages.sessions import ProxySession

SESSIONS = "doorward/proxy_sessions/"


@pytest.fixture
def sessions(whoami: Application, staff: Group, bob: User, akadmin: User) -> dict[str, ProxySession]:
    """One of bob's and one of akadmin's, both at whoami."""
    from doorward.identity.directory.actions import add_member
    from doorward.identity.events.actor import Actor
    from identity import proxied

    add_member(Actor.system(), staff, akadmin)
    return {user.username: proxied.enter(proxied.log_in(user), whoami) for user in (bob, akadmin)}


def test_an_administrator_sees_all_and_ends_one(
    admin_api: Any, whoami: Application, sessions: dict[str, ProxySession]
) -> None:
    """With user, application and login, and nothing that would let anybody use one; the data plane hears of the end."""
    from doorward.identity.events.models import Change, Event

    found = {each["username"]: each for each in admin_api.get(SESSIONS)["results"]}
    assert set(found) == {"bob", "akadmin"}
    bobs = found["bob"]
    assert (bobs["application"], bobs["provider"]) == (whoami.slug, whoami.provider_id)
    assert admin_api.get(f"{SESSIONS}?login={bobs['login']}")["results"] == [bobs]
    assert admin_api.get(f"{SESSIONS}?user__username=bob&application={whoami.slug}")["results"] == [bobs]
    assert admin_api.get(f"{SESSIONS}?application=another")["results"] == []
    assert not {sessions["bob"].access_token, sessions["bob"].id_token} & {str(value) for value in bobs.values()}

    admin_api.delete(f"{SESSIONS}{bobs['pk']}/")

    assert [each["username"] for each in admin_api.get(SESSIONS)["results"]] == ["akadmin"]
    assert Change.objects.filter(kind="session-ended", subject=sessions["bob"].id_hash.hex()).exists()
    assert Event.objects.filter(action="logout", user__username="akadmin", context__of_user__name="bob").exists()


def test_others_sessions_are_not_there(bob_api: Any, sessions: dict[str, ProxySession]) -> None:
    """Bob sees and ends his own only."""  # S-602
    (own,) = bob_api.get(SESSIONS)["results"]

    assert own["username"] == "bob"
    assert bob_api.call("GET", f"{SESSIONS}{sessions['akadmin'].id_hash.hex()}/").status_code == 404
    bob_api.delete(f"{SESSIONS}{sessions['akadmin'].id_hash.hex()}/", 404)
    bob_api.delete(f"{SESSIONS}{own['pk']}/")
    assert bob_api.get(SESSIONS)["results"] == []
