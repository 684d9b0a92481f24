"""Whatever is changed through the API leaves an event that names the field, and what it was before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.db.models import Model

from identity.api.conftest import Api

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group, User

pytestmark = pytest.mark.django_db

TEXTS = ("name", "title", "description", "branding_title", "label", "identifier")
"""Fields that take another text."""
NOTHING_TO_TELL = {"events/notifications"}
"""Whether somebody has seen a notification is nobody else's business."""
KNOWN_AS = {"renew_sessions": "scope_mappings"}
"""What a field changes, where that has another name."""


def some(path: str, akadmin: User) -> Model:
    """An object of the kind that the resource is about: one that is there, or a new one."""
    from doorward.identity.api.routes import RESOURCES
    from doorward.identity.events.actor import Actor
    from doorward.identity.outposts.instances import create_outpost
    from doorward.identity.outposts.models import ProxyProvider

    model: type[Model] = RESOURCES[path].queryset.model
    if path == "outposts/instances":  # the embedded one keeps its name
        return create_outpost(Actor.system(), name="Some", providers=[ProxyProvider.objects.earliest("pk")])
    of_several = path == "providers/oauth2" or path.startswith("propertymappings/")
    existing = None if of_several else model._default_manager.first()
    return existing or model._default_manager.create(**made(path, akadmin))


def made(path: str, akadmin: User) -> dict[str, Any]:
    """What a new one must have."""
    from doorward.identity.applications.models import Application
    from doorward.identity.crypto.models import CertificateKeyPair
    from doorward.identity.flows.models import Flow

    flow = Flow.objects.earliest("slug")
    flows = {"authorization_flow": flow, "invalidation_flow": flow}
    if "_connections/" in path:
        return connection(path, akadmin)
    fields: dict[str, Any] = {"name": "Some"}
    if path.startswith("authenticators/"):
        fields |= {"user": akadmin}
    match path.removeprefix("authenticators/admin/").removeprefix("authenticators/"):
        case "email":
            fields |= {"email": "a@example.test"}
        case "webauthn":
            fields |= {"credential_id": b"x", "public_key": b"x"}
        case "totp":
            fields |= {"sealed_seed": "x"}
        case "core/application_entitlements":
            fields |= {"app": Application.objects.earliest("slug")}
        case "doorward/access_offers":
            fields = {"application": Application.objects.earliest("slug")}
        case "managed/blueprints":
            fields |= {"content": "version: 1\nentries: []"}
        case "policies/geoip":
            fields |= {"countries": ["DE"]}
        case "policies/network":
            fields |= {"networks": ["192.0.2.0/24"]}
        case "policies/password_expiry":
            fields |= {"days": 30}
        case "policies/time_window":
            fields |= {"days": [0]}
        case "propertymappings/notification":
            fields |= {"expression": "return {}"}
        case "propertymappings/provider/scope":
            fields |= {"expression": "return {}", "scope_name": "some"}
        case "propertymappings/source/ldap" | "propertymappings/source/oauth" | "propertymappings/source/saml":
            fields |= {"expression": "return {}", "kind": path.rpartition("/")[2]}
        case "providers/oauth2":
            fields |= {"client_id": "some", **flows}
        case "sources/ldap":
            fields |= {"slug": "ldap", "server_uri": "ldap://127.0.0.1:1", "base_dn": "dc=test"}
        case "sources/oauth":
            fields |= {"slug": "forge", "provider_type": "github", "consumer_key": "doorward"}
        case "sources/saml":
            pair = CertificateKeyPair.objects.earliest("name")
            fields |= {"slug": "saml", "sso_url": "https://idp.example.test/", "provider_entity_id": "idp"}
            fields |= {"pre_authentication_flow": flow, "verification_kp": pair}
        case "stages/captcha":
            fields |= {"public_key": "x", "sealed_private_key": "x"}
        case "stages/invitation/invitations":
            fields |= {"name": "some"}
        case "stages/redirect":
            fields |= {"mode": "static", "target_static": "https://example.test/"}
    return fields


def connection(path: str, akadmin: User) -> dict[str, Any]:
    """Of a user or a group to a new source."""
    from doorward.identity.api.routes import RESOURCES
    from doorward.identity.directory.models import Group

    room, kind = path.removeprefix("sources/").split("/")
    of = f"sources/{'oauth' if kind == 'all' else kind}"
    source = RESOURCES[of].queryset.model._default_manager.create(**made(of, akadmin))
    whose = {"user": akadmin} if room == "user_connections" else {"group": Group.objects.earliest("name")}
    return {"source": source, "identifier": "some", **whose}


def another(name: str, value: Any) -> Any:
    """Something else than ``value``; None where that is not known."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if name in TEXTS and isinstance(value, str) else None


def untold(api: Api, path: str, it: Model) -> list[str] | None:
    """Fields whose change no event tells of; None where none could be changed."""
    from doorward.identity.api.routes import RESOURCES
    from doorward.identity.events.models import Event

    key: Any = it
    for part in RESOURCES[path].lookup_field.split("__"):
        key = getattr(key, part)
    changed, found = False, []
    for name, value in api.get(f"{path}/{key}/").items():
        wanted = another(name, value)
        if wanted is None:
            continue
        with transaction.atomic():
            answer = api.call("PATCH", f"{path}/{key}/?sure=true", {name: wanted})
            if answer.status_code == 200 and json.loads(answer.content).get(name) == wanted:
                changed = True
                diffs = [event.context["diff"] for event in Event.objects.filter(action="model_updated")]
                told = [diff[KNOWN_AS.get(name, name)] for diff in diffs if KNOWN_AS.get(name, name) in diff]
                if not any({"previous_value", "new_value"} == set(each) for each in told):
                    found.append(name)
            transaction.set_rollback(True)
    return found if changed else None


def test_every_change_tells_before_and_after(admin_api: Api, akadmin: User, whoami: Application, staff: Group) -> None:
    """Every switch, every number and the name of every kind of object, one after the other."""
    from doorward.identity.api.routes import RESOURCES
    from doorward.identity.events.models import Event

    Event.objects.all().delete()
    paths = [path for path, view in RESOURCES.items() if hasattr(view, "partial_update")]
    for path in sorted(path for path in paths if "patch" in RESOURCES[path].http_method_names):
        if path in NOTHING_TO_TELL or "_connections/" in path:  # those are in the tests of sources
            continue
        with transaction.atomic():
            assert untold(admin_api, path, some(path, akadmin)) == [], path
            transaction.set_rollback(True)


def test_a_brand_that_is_the_default_no_longer_is_told_of(flows: None) -> None:
    """Another one takes its place: two changes, two events."""
    from doorward.identity.brands.actions import create_brand
    from doorward.identity.brands.models import Brand
    from doorward.identity.events.actor import Actor
    from doorward.identity.events.models import Event

    former = Brand.objects.get(default=True)

    create_brand(Actor.system(), domain="shop.example.test", branding_title="Shop", default=True)

    told = Event.objects.get(action="model_updated", context__model__name=former.domain)
    assert told.context["diff"] == {"default": {"previous_value": True, "new_value": False}}
