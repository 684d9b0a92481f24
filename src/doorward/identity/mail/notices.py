"""Letters about what happened to an account, so that its owner notices what they did not do."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.directory.models import User
from doorward.identity.directory.notices import address_changed, password_replaced, trust_ended
from doorward.identity.languages.choice import for_letter_to
from doorward.identity.mail import outbox
from doorward.identity.mail.models import MailLink


def tell(user: User, what: str, *, recipient: str = "", **about: object) -> None:
    """One sentence about ``user``'s account, to their address or another.

    ``what`` is marked with ``gettext_noop``: the letter speaks the language of whoever reads it. ``about`` fills it in.
    """
    address = recipient or user.email
    if address:
        with translation.override(for_letter_to(user)):
            outbox.post(address, _("About your account"), "notice", {"user": user, "what": _(what) % about})


def _address_changed(sender: type, *, user: User, former: str, **_: object) -> None:
    MailLink.objects.filter(user=user).delete()
    if former:
        tell(user, gettext_noop("The e-mail address of your account was changed to another one."), recipient=former)


def _password_replaced(sender: type, *, user: User, **_: object) -> None:
    # Links that were sent while the old password was in force are for whoever forgot it, or stole it.
    MailLink.objects.filter(user=user).delete()
    tell(user, gettext_noop("The password of your account was changed."))


def _trust_ended(sender: type, *, user: User, **_: object) -> None:
    # Among them the one that confirms an account: it must not make a deactivated user active again.
    MailLink.objects.filter(user=user).delete()


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    address_changed.connect(_address_changed, dispatch_uid="mail.notices.address")
    password_replaced.connect(_password_replaced, dispatch_uid="mail.notices.password")
    trust_ended.connect(_trust_ended, dispatch_uid="mail.trust")
