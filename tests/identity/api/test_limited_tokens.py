"""API tokens that are limited: to reading, to parts of the API, and never a way to more than themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from identity.api.conftest import Api
from identity.api.test_delegated import core, give, role_with
from identity.api.test_who_may import operations

if TYPE_CHECKING:
    from doorward.identity.directory.models import Group, User

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def limited(user: User, *resources: str, read_only: bool = False, name: str = "own") -> Api:
    """A client with a token of ``user`` that is limited, where limits are named."""
    from doorward.identity.directory.actions import create_token
    from doorward.identity.events.actor import Actor

    _, key = create_token(
        Actor.system(), user=user, identifier=name, intent="api", read_only=read_only, resources=resources
    )
    return Api(key)


def detail(answer: tuple[int, Any]) -> str:
    status, body = answer
    assert status == 403, answer
    return str(body["detail"])


def test_one_that_only_reads(akadmin: User, bob: User, flows: None) -> None:
    """Whatever its user sees; every other method is refused everywhere, before anything is looked at."""
    api = limited(akadmin, read_only=True)

    assert api.get(f"core/users/{bob.pk}/")["username"] == "bob"
    assert api.call("HEAD", "core/users/").status_code == 200
    for name, method, path in operations():
        if method in WRITES:
            assert detail(api.refused(method, path, {})) == "This token only reads.", name


def test_one_for_parts_of_the_api(akadmin: User, flows: None) -> None:
    """All other operations are refused, with every method; what is below a part belongs to it, what only begins like
    it does not."""
    api = limited(akadmin, "core/users", "events")

    opened = {
        name
        for name, method, path in operations()
        if api.call(method, path, {} if method in WRITES else None).status_code != 403
    }
    assert {"core_users_list", "core_users_create", "events_rules_list", "events_events_list"} <= opened
    assert all(name.startswith(("core_users_", "events_")) for name in opened)
    for path in ("core/user_consent/", "root/config/", "core/groups/?x=/core/users/"):
        assert detail(api.refused("GET", path)) == "This token is for core/users, events only."


def test_a_limited_token_sees_no_more_than_its_user(bob: User, akadmin: User, flows: None) -> None:
    """It is a subset of what the user may, not a permission."""
    api = limited(bob, "core/users", "core/tokens")

    assert detail(api.refused("GET", "core/users/")) == "You do not have permission to perform this action."
    assert [each["user"] for each in api.get("core/tokens/")["results"]] == [bob.pk]


def test_used_by_tells_of_the_parts_that_are_opened(akadmin: User, staff: Group, bob: User, flows: None) -> None:
    """Not of others, whose names may tell something."""
    path = f"core/groups/{staff.pk}/used_by/"

    assert limited(akadmin, "core/groups").get(path) == []
    both = limited(akadmin, "core/groups", "core/users", name="both")
    assert [each["name"] for each in both.get(path)] == ["bob"]


def test_a_session_is_no_way_round(akadmin: User, flows: None) -> None:
    """Flows, the private questions of outposts and log-in take no notice of the token."""
    api = limited(akadmin, "core/users", "outposts")

    assert api.call("POST", "outposts/data-plane/state").status_code in (403, 404)
    shown = api.get("flows/executor/default-authentication-flow/")
    assert shown["component"] == "ak-stage-identification"
    assert "sessionid" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "core/users/{own}/set_password/", {"password": PASSWORD}),
        ("POST", "core/users/{bob}/set_password/", {"password": PASSWORD}),
        ("POST", "core/users/{bob}/recovery/", None),
        ("POST", "core/users/{bob}/impersonate/", {"reason": "x"}),
        ("POST", "core/users/service_account/", {"name": "robot"}),
        ("PATCH", "core/users/{bob}/", {"email": "mallory@example.test"}),
        ("PATCH", "core/users/{own}/", {"name": "me"}),
        ("PATCH", "core/users/{bob}/", {"groups": ["{admins}"]}),
        ("PATCH", "core/users/{bob}/", {"roles": ["{role}"]}),
        ("POST", "core/users/", {"username": "new", "name": "", "groups": ["{admins}"]}),
        ("POST", "core/groups/{admins}/add_user/", {"pk": "{bob}"}),
        ("PATCH", "core/groups/{staff}/", {"parents": ["{admins}"]}),
        ("PATCH", "core/groups/{staff}/", {"is_superuser": True}),
        ("PATCH", "core/groups/{staff}/", {"roles": ["{role}"]}),
        ("POST", "rbac/permissions/assigned_by_roles/{role}/assign/", {"permissions": ["authentik_core.view_group"]}),
        ("POST", "core/tokens/", {"identifier": "new"}),
        ("POST", "core/tokens/", {"identifier": "new", "resources": ["core/users", "events"]}),
        ("POST", "core/tokens/", {"identifier": "new", "resources": ["core"]}),
        ("POST", "core/tokens/", {"identifier": "new", "intent": "app_password"}),
        ("POST", "core/tokens/", {"identifier": "new", "resources": ["core/users"], "user": "{bob}"}),
        ("GET", "core/tokens/wide/view_key/", None),
        ("POST", "core/tokens/wide/set_key/", {"key": "x" * 30}),
        ("PATCH", "core/tokens/wide/", {"resources": ["core/users"]}),
        ("PATCH", "core/tokens/own/", {"resources": []}),
        ("PATCH", "core/tokens/own/", {"expiring": False}),
        ("PATCH", "core/tokens/own/", {"expires": "2099-01-01T00:00:00Z"}),
        ("POST", "flows/instances/", {"name": "x", "slug": "x", "title": "x", "designation": "authentication"}),
        ("POST", "policies/bindings/", {"target": "{flow}", "group": "{staff}", "order": 0}),
        ("POST", "policies/expression/", {"name": "x", "expression": "return True"}),
        ("POST", "managed/blueprints/", {"name": "x", "content": "version: 1"}),
        ("POST", "stages/user_login/", {"name": "x"}),
        ("PATCH", "admin/settings/", {"avatars": "none"}),
        ("GET", "crypto/certificatekeypairs/{key}/view_private_key/", None),
    ],
)
def test_it_leads_to_nothing_wider(
    akadmin: User, bob: User, admins: Group, staff: Group, flows: None, method: str, path: str, body: Any
) -> None:
    """A token for half of the API, of somebody who may do everything, makes no password, link, role or other token
    by which more could be done; and nothing has happened."""
    from doorward.identity.crypto.models import CertificateKeyPair
    from doorward.identity.directory.models import Token, User
    from doorward.identity.events.models import Event
    from doorward.identity.flows.models import Flow

    parts = ("core/users", "core/groups", "core/tokens", "rbac", "flows", "policies", "managed", "stages", "admin")
    role = role_with("viewers", *core("view_user"))
    limited(akadmin, name="wide")
    api = limited(akadmin, *parts, "crypto")
    names = {
        "{own}": akadmin.pk,
        "{bob}": bob.pk,
        "{admins}": str(admins.pk),
        "{staff}": str(staff.pk),
        "{role}": str(role.pk),
        "{flow}": str(Flow.objects.earliest("slug").pk),
        "{key}": str(CertificateKeyPair.objects.first().pk),  # type: ignore[union-attr]
    }
    for name, value in names.items():
        path = path.replace(name, str(value))
    filled = body and {
        key: names.get(value, value) if isinstance(value, str) else _filled(value, names) for key, value in body.items()
    }
    before = (User.objects.count(), Token.objects.count(), Event.objects.count())

    status, answer = api.refused(method, path, filled)

    assert status == 400 if "impersonate" in path else status == 403, (status, answer)
    assert before == (User.objects.count(), Token.objects.count(), Event.objects.count())
    assert not bob.groups.filter(is_superuser=True).exists()


def _filled(value: Any, names: dict[str, Any]) -> Any:
    return [names.get(each, each) for each in value] if isinstance(value, list) else value


def test_it_does_the_work_that_it_is_for(akadmin: User, bob: User, staff: Group, flows: None) -> None:
    """Users who may do nothing special are made, renamed, put into groups and deactivated."""
    api = limited(akadmin, "core/users", "core/groups")

    made = api.post("core/users/", {"username": "carol", "name": "Carol", "groups": [str(staff.pk)]})
    api.patch(f"core/users/{made['pk']}/", {"name": "Carol C.", "is_active": False})
    api.post(f"core/groups/{staff.pk}/remove_user/", {"pk": made["pk"]}, status=204)
    api.delete(f"core/users/{made['pk']}/")


def test_it_makes_narrower_ones(akadmin: User, flows: None) -> None:
    """For a part of its parts, that ends no later; the new one's key can be seen, and works for that."""
    from doorward.identity.directory.models import Token

    api = limited(akadmin, "core/users", "core/tokens")

    made = api.post("core/tokens/", {"identifier": "narrow", "resources": ["core/users/"], "read_only": True})
    key = api.get("core/tokens/narrow/view_key/")["key"]

    assert (made["resources"], made["read_only"]) == (["core/users"], True)
    assert Token.objects.get(identifier="narrow").expires <= Token.objects.get(identifier="own").expires  # type: ignore[operator]
    assert Api(key).get("core/users/")["results"]
    assert Api(key).call("GET", "core/tokens/").status_code == 403
    assert Api(key).call("POST", "core/users/", {}).status_code == 403


def test_one_that_only_reads_looks_at_no_key(akadmin: User, flows: None) -> None:
    """The first look at a key is the last: so it changes something, although it is a GET."""
    from doorward.identity.directory.models import Token

    api = limited(akadmin, read_only=True)

    assert detail(api.refused("GET", "core/tokens/own/view_key/")).startswith("A token that only reads")
    assert Token.objects.get(identifier="own").sealed_key


def test_limits_are_fields_of_the_token(admin_api: Api, akadmin: User) -> None:
    """Optional; without them it is as before. What is not there, and what is no API token, is refused."""
    from doorward.identity.events.models import Event

    plain = admin_api.post("core/tokens/", {"identifier": "plain"})
    assert (plain["resources"], plain["read_only"]) == ([], False)
    made = admin_api.post("core/tokens/", {"identifier": "ci", "resources": ["events/rules", "events", "events/"]})
    assert made["resources"] == ["events"]
    assert Event.objects.get(action="model_created", context__model__name="ci").context["resources"] == ["events"]

    changed = admin_api.patch("core/tokens/ci/", {"resources": ["core/users"], "read_only": True})

    assert (changed["resources"], changed["read_only"]) == (["core/users"], True)
    told = Event.objects.get(action="model_updated", context__model__name="ci").context["diff"]
    assert told["resources"] == {"previous_value": "events", "new_value": "core/users"}
    assert [each["identifier"] for each in admin_api.get("core/tokens/?read_only=true")["results"]] == ["ci"]
    for wrong in (["core/usres"], ["../core"], ["core/users?"], [""], "core/users", [1.5], ["core/users"] * 60):
        assert admin_api.call("POST", "core/tokens/", {"identifier": "x", "resources": wrong}).status_code == 400
    password = {"identifier": "x", "intent": "app_password", "resources": ["core/users"]}
    assert "resources" in admin_api.refused("POST", "core/tokens/", password)[1]
    assert "intent" not in admin_api.refused("PATCH", "core/tokens/ci/", {"intent": "app_password"})[1]


def test_the_parts_that_people_choose_from_are_the_whole_api() -> None:
    """Each exists, and nothing lies outside of all of them, but the description, which is open to all."""
    from doorward.identity.api.limited_tokens import _paths, known
    from doorward.identity.directory.limits import AREAS, Limits

    assert all(known(area) for area in AREAS)
    everything = Limits(read_only=False, resources=tuple(AREAS), ends=None)
    assert [path for path in _paths() - {"schema"} if not everything.opens(path)] == []


def test_a_delegated_administrators_token_can_be_limited(mallory: User, bob: User, flows: None) -> None:
    """What her role permits, within what the token is for."""
    give(role_with("desk", *core("view_user", "change_user", "view_group")), mallory)
    api = limited(mallory, "core/users")

    assert api.patch(f"core/users/{bob.pk}/", {"name": "Robert"})["name"] == "Robert"
    assert api.call("GET", "core/groups/").status_code == 403
    assert detail(api.refused("PATCH", f"core/users/{mallory.pk}/", {"name": "x"})).startswith("“mallory” may do more")
