"""Letters speak the language of whoever reads them, whoever has caused them."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.identity.authenticators import actions, totp
from doorward.identity.brands.models import Brand
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from identity.mail.mailbox import letters, text_of

pytestmark = pytest.mark.django_db


def test_a_letter_speaks_the_language_of_its_reader(mail_folder: Path, bob: User) -> None:
    """What they have chosen, in the subject and in both of its parts; what is filled in stays as it is."""
    bob.attributes = {"settings": {"locale": "de"}}
    bob.save()
    device = actions.add_totp(Actor.system(), bob, name="phone %s", seed=totp.new_seed(), digits=6, used_step=0)
    actions.remove(Actor.system(), device)

    _, letter = letters(mail_folder)

    assert letter["Subject"] == "Zu Ihrem Konto"
    assert "Von Ihrem Konto wurde ein zweiter Faktor entfernt: „phone %s“." in text_of(letter)
    html = letter.get_body(("html",))
    assert html is not None
    assert '<html lang="de">' in html.get_content()


def test_without_a_choice_it_speaks_the_brand_s(mail_folder: Path, bob: User) -> None:
    """And wears its title and logo."""
    look = {"branding_title": "La Porte", "branding_logo": "/static/porte.png"}
    Brand.objects.create(domain="example.test", attributes={"settings": {"locale": "fr"}}, **look)
    actions.add_totp(Actor.system(), bob, name="phone", seed=totp.new_seed(), digits=6, used_step=0)

    (letter,) = letters(mail_folder)

    assert "Une application d’authentification a été ajoutée à votre compte." in text_of(letter)
    html = letter.get_body(("html",))
    assert html is not None
    assert '<img src="https://auth.example.test/static/porte.png"' in html.get_content()
    assert "La Porte" in html.get_content()
