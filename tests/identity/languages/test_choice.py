"""Which language a page speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from doorward.identity.brands.models import Brand
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.outposts.actions import protect
from doorward.identity.outposts.models import ProxyProvider
from identity.web.visitor import Visitor

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


def test_the_choice_at_the_foot_of_the_page_is_kept_in_the_browser(login_flows: None) -> None:
    """It wins over what the browser says, and one comes back to the very page."""
    visitor = Visitor()
    visitor.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    answer = visitor.send("/if/language/", at=LOGIN, language="fr", next=LOGIN)

    assert answer.headers["Location"] == LOGIN
    assert '<html lang="fr">' in visitor.open(LOGIN)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_choice_leads_nowhere_else(login_flows: None, elsewhere: str) -> None:
    """The way back is a page of ours (S-529)."""
    answer = Visitor().send("/if/language/", at=LOGIN, language="fr", next=elsewhere)

    assert answer.headers["Location"] == "/"


def test_another_site_chooses_nothing(login_flows: None) -> None:
    """The form carries the token of the session (S-528)."""
    visitor = Visitor()
    visitor.open(LOGIN)

    refused = visitor.client.post("/if/language/", {"language": "fr"}, headers={"Origin": "https://evil.example"})

    assert refused.status_code == 403
    assert not refused.cookies


def test_whoever_is_logged_in_keeps_it_with_their_account(akadmin: User, password: str, flows: None) -> None:
    """Every browser of theirs speaks it then; an empty choice takes it back, and other settings stay."""
    akadmin.attributes = {"settings": {"theme": {"base": "dark"}}, "shoe": 43}
    akadmin.save()
    visitor = Visitor("akadmin", password)

    visitor.send("/if/language/", at="/if/user/account/", language="zh-hans", next="/if/user/account/")
    akadmin.refresh_from_db()

    assert akadmin.attributes == {"settings": {"theme": {"base": "dark"}, "locale": "zh-hans"}, "shoe": 43}
    assert '<html lang="zh-Hans">' in visitor.open("/if/user/account/")

    visitor.send("/if/language/", at="/if/user/account/", language="", next="/if/user/account/")

    assert '<html lang="en">' in visitor.open("/if/user/account/")


def test_a_brand_speaks_where_nobody_wishes_anything(login_flows: None, client: Client) -> None:
    """Its default is what browsers get that do not say what they want."""
    Brand.objects.update(attributes={"settings": {"locale": "es"}})

    assert lang_of(client) == "es"
    assert lang_of(client, **{"accept-language": "de"}) == "de"


def test_an_application_says_which(flows: None, akadmin: User, client: Client) -> None:
    """``ui_locales`` holds for the login that it led to: the first language that we speak (OpenID Connect 3.1.2.1)."""
    wiki = protect(Actor.system(), name="Wiki", slug="wiki", external_host="https://wiki.example.test")
    provider = ProxyProvider.objects.get(application=wiki)
    query = {
        "client_id": provider.client_id,
        "redirect_uri": "https://wiki.example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
        "response_type": "code",
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "ui_locales": "tlh fr-CA de",
    }

    started = client.get("/application/o/authorize/", query, headers={"accept-language": "de"})

    assert lang_of(client, started.headers["Location"], **{"accept-language": "de"}) == "fr"


def test_texts_that_are_kept_in_the_database_are_translated_too(login_flows: None, client: Client) -> None:
    """Titles and labels of the default flows, unless an operator has changed them."""
    german = {"accept-language": "de"}
    assert "Willkommen bei Doorward!" in client.get(LOGIN, headers=german).content.decode()

    Flow.objects.filter(slug="default-authentication-flow").update(title="Hello at Ours")

    assert "Hello at Ours" in client.get(LOGIN, headers=german).content.decode()


def test_the_executor_api_speaks_to_people(login_flows: None, client: Client) -> None:
    """What a client shows to whoever logs in is in their language, errors included."""
    challenge = client.get(
        "/api/v3/flows/executor/default-authentication-flow/", headers={"accept-language": "fr"}
    ).json()

    assert challenge["flow_info"]["title"] == "Bienvenue sur Doorward !"
