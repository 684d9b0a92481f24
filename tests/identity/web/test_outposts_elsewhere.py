"""The pages about outposts that run elsewhere."""

from __future__ import annotations

import re

import pytest

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Token
from doorward.identity.directory.queries import token_by_key
from doorward.identity.outposts import presence
from doorward.identity.outposts.models import Outpost
from doorward.messages.sessions import Presence
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
NEW = "/if/admin/outposts/new/"


def test_a_new_outpost_and_how_it_is_started(admin: Visitor, whoami: Application) -> None:
    """A name and applications; the answer holds the token, which no page shows again."""
    page = admin.send(NEW, name="Site B", applications=[whoami.pk]).content.decode()

    found = re.search(r"AUTHENTIK_TOKEN=(\S+)</code>", page)
    assert found
    token = token_by_key(found[1], (Token.Intent.API,))
    outpost = Outpost.objects.get(name="Site B")
    assert token is not None
    assert token.user.username == f"ak-outpost-{outpost.pk.hex}"
    assert "AUTHENTIK_HOST=https://auth.example.test" in page
    assert found[1] not in admin.open("/if/admin/outposts/")
    assert found[1] not in admin.open("/if/admin/tokens/")


def test_an_outpost_for_nothing(admin: Visitor, whoami: Application) -> None:
    """It needs a name of its own and something to answer for."""
    assert admin.send(NEW, name="Site B").status_code == 400
    assert admin.send(NEW, name="authentik Embedded Outpost", applications=[whoami.pk]).status_code == 400
    assert Outpost.objects.count() == 1


def test_who_is_there(admin: Visitor, whoami: Application) -> None:
    """Each process with its version; a version that is not ours stands out."""
    admin.send(NEW, name="Site B", applications=[whoami.pk])
    outpost = Outpost.objects.get(name="Site B")
    assert "None has been heard within a day." in admin.open("/if/admin/outposts/")

    presence.seen(outpost, Presence("one", "0.0.1", "far.example.test<b>"))

    page = admin.open("/if/admin/outposts/")
    assert "far.example.test<b>" in page
    assert "there</span>" in page
    assert re.search(r"version 0\.0\.1, here ", page)
