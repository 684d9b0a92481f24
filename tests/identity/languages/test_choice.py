"""Which language a page speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from doorward.identity.directory.models import User

LOGIN = "/if/flow/default-authentication-flow/"


def lang_of(client: Client, path: str = LOGIN, **headers: str) -> str:
    page = client.get(path, headers=headers).content.decode()
    return page.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("de-AT,de;q=0.8,en;q=0.5", "de"),
        ("zh-CN", "zh-Hans"),
        ("da, fr;q=0.9, en;q=0.8", "fr"),
        ("tlh", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=0, es", "es"),
        ("x" * 5000, "en"),
    ],
)
def test_the_browser_says_which(login_flows: None, client: Client, accepted: str, spoken: str) -> None:
    """The first that we speak, whatever its region; English where there is none."""
    assert lang_of(client, **{"accept-language": accepted}) == spoken


def test_the_setting_of_a_user_wins(akadmin: User, client: Client) -> None:
    """What somebody has chosen for themselves, their browser does not change."""
    akadmin.attributes = {"settings": {"locale": "es"}}
    akadmin.save()
    client.force_login(akadmin)

    assert lang_of(client, "/if/user/", **{"accept-language": "de"}) == "es"


@pytest.mark.parametrize("attributes", [{"settings": {"locale": "tlh"}}, {"settings": []}, {"settings": {"locale": 1}}])
def test_a_setting_that_is_none_is_nobody_s_wish(akadmin: User, client: Client, attributes: dict[str, object]) -> None:
    """Attributes are free-form: what is no language there is passed over."""
    akadmin.attributes = attributes
    akadmin.save()
    client.force_login(akadmin)

    assert lang_of(client, "/if/user/", **{"accept-language": "de"}) == "de"


def test_machines_are_answered_in_english(akadmin: User, client: Client) -> None:
    """A script that compares messages does not depend on the machine that it runs on."""
    answer = client.get("/api/v3/core/users/", headers={"accept-language": "de"})

    assert answer.json()["detail"] == "Authentication credentials were not provided."
