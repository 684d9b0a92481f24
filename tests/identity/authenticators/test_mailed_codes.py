"""Codes by letter: good once, for one login, for ten minutes and five tries."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from doorward.identity.authenticators import mailed_codes
from doorward.identity.authenticators.models import EmailDevice, MailedCode
from doorward.identity.directory.models import User
from identity.factors import give_mailbox
from identity.mail.mailbox import code_in, letters, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(bob: User, mail_folder: Path) -> EmailDevice:
    return give_mailbox(bob)


def sent(box: EmailDevice, mail_folder: Path, login: str = "a", minutes: int = 10) -> str:
    """The code in the letter that is sent now."""
    assert mailed_codes.send_for(
        box, login, client_ip="192.0.2.1", subject="Your code", lifetime=timedelta(minutes=minutes)
    )
    return code_in(letters(mail_folder)[-1])


def test_a_code_is_good_once(box: EmailDevice, mail_folder: Path) -> None:
    """Eight digits, which may be typed as they are printed; the factor remembers when it was used."""  # S-514, S-805
    code = sent(box, mail_folder)

    assert len(code) == 8
    assert mailed_codes.use_for(box, "a", f"{code[:4]} {code[4:]}")
    assert not mailed_codes.use_for(box, "a", code)
    box.refresh_from_db()
    assert box.last_used is not None


def test_a_code_is_for_the_login_that_asked_for_it(box: EmailDevice, mail_folder: Path) -> None:
    """Another login neither uses it nor makes it worthless; a new code in the same login does."""  # S-503, S-517
    first = sent(box, mail_folder, "a")
    other = sent(box, mail_folder, "b")
    assert not mailed_codes.use_for(box, "b", first)
    assert mailed_codes.use_for(box, "a", first)

    newer = sent(box, mail_folder, "b")
    assert not mailed_codes.use_for(box, "b", other)
    assert mailed_codes.use_for(box, "b", newer)


def test_five_tries(box: EmailDevice, mail_folder: Path) -> None:
    """After the fifth wrong one, the right one is wrong as well."""  # S-506
    code = sent(box, mail_folder)
    wrong = "00000000" if code != "00000000" else "00000001"
    assert not any(mailed_codes.use_for(box, "a", wrong) for _ in range(mailed_codes.TRIES))

    assert not mailed_codes.use_for(box, "a", code)
    assert not mailed_codes.is_waiting(mailed_codes.login_place(box, "a"))


def test_a_code_ends(box: EmailDevice, mail_folder: Path) -> None:
    """When it is read, whether or not anything was swept."""  # S-811
    code = sent(box, mail_folder)
    MailedCode.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert not mailed_codes.use_for(box, "a", code)


def test_no_stage_makes_it_last(box: EmailDevice, mail_folder: Path) -> None:
    """Half an hour at the most, and the letter says for how long."""
    sent(box, mail_folder, minutes=600)
    assert MailedCode.objects.get().expires <= timezone.now() + timedelta(minutes=30)
    assert "30 minutes" in text_of(letters(mail_folder)[-1])


def test_the_database_does_not_hold_it(box: EmailDevice, mail_folder: Path) -> None:
    """Only a keyed hash of code and place."""  # S-803
    code = sent(box, mail_folder)
    row = MailedCode.objects.get()
    assert code not in f"{row.code_hash}{row.place}"


def test_letters_have_a_limit(box: EmailDevice, mail_folder: Path) -> None:
    """Five in five minutes; whoever proves the mailbox begins anew."""  # S-506
    codes = [sent(box, mail_folder) for _ in range(5)]

    def one_more() -> bool:
        return mailed_codes.send_for(box, "a", client_ip="192.0.2.1", subject="x", lifetime=timedelta(minutes=1))

    assert not one_more()
    assert len(letters(mail_folder)) == 6  # and one that says that the factor was added

    assert mailed_codes.use_for(box, "a", codes[-1])
    assert one_more()


def test_an_address_is_masked() -> None:
    """Whoever has only the password does not learn it."""
    assert mailed_codes.masked("bob@example.test") == "b•••@example.test"
