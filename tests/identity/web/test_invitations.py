"""Inviting somebody on a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.identity.stages.models import Invitation
from identity.mail.mailbox import letters, text_of
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
LIST, NEW = "/if/admin/invitations/", "/if/admin/new/invitation/"


def test_an_invitation_is_made_and_taken_back(admin: Visitor) -> None:
    """Its link stands in the list, and opens the page where one makes an account."""
    text = admin.succeed(NEW, name="carol", life="7", single_use="on", email="carol@example.test")
    invitation = Invitation.objects.get()
    link = f"/if/flow/default-invitation-flow/?itoken={invitation.pk}"

    assert f"https://auth.example.test{link}" in text
    assert 'value="carol@example.test"' in Visitor().open(link)
    assert invitation.expires is not None
    assert invitation.single_use

    assert "taken back" in admin.succeed(f"{LIST}{invitation.pk}/delete/")
    assert Visitor().get(link).status_code == 403


def test_the_link_is_sent(admin: Visitor, mail_folder: Path) -> None:
    """To the address that the account will have."""
    assert "on its way to carol@example.test" in admin.succeed(
        NEW, name="carol", life="", email="carol@example.test", send="on"
    )
    (letter,) = letters(mail_folder)

    assert letter["To"] == "carol@example.test"
    assert f"itoken={Invitation.objects.get().pk}" in text_of(letter)


def test_nowhere_to_send_it(admin: Visitor, mail_folder: Path) -> None:
    """The form says what is missing."""
    admin.send(NEW, name="carol", life="", send="on")

    assert "Say where to send it." in admin.text
    assert not Invitation.objects.exists()
