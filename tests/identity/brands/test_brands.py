"""Brands: which one speaks, how it looks, and who may change that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorward.identity.brands.actions import create_brand, delete_brand, update_brand
from doorward.identity.brands.models import Brand, Picture
from doorward.identity.brands.queries import brand_for, current_brand
from doorward.identity.directory.errors import Refused
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.outposts.actions import protect
from doorward.identity.outposts.models import ProxyProvider
from identity.brands.test_pictures import PNG
from identity.web.visitor import Visitor

if TYPE_CHECKING:
    from doorward.identity.directory.models import User

LOGIN = "/if/flow/default-authentication-flow/"
SYSTEM = Actor.system()
THEME: dict[str, Any] = {"settings": {"theme": {"accent": "#0b5394"}}}


@pytest.mark.parametrize(
    ("domain", "speaks"),
    [
        ("auth.example.test", True),
        ("example.test", True),
        ("EXAMPLE.test.", True),
        ("ample.test", False),
        ("other.example.test", False),
    ],
)
def test_a_brand_is_for_a_host_and_all_below_it(login_flows: None, domain: str, speaks: bool) -> None:
    """Cut at dots, whatever the case; the default brand is for the rest."""
    create_brand(SYSTEM, domain=domain, branding_title="Mine")

    assert (current_brand().branding_title == "Mine") is speaks


def test_the_longest_domain_wins(login_flows: None) -> None:
    """The nearer brand is meant."""
    create_brand(SYSTEM, domain="test", branding_title="Far")
    create_brand(SYSTEM, domain="example.test", branding_title="Near")

    assert current_brand().branding_title == "Near"
    assert brand_for(["https://wiki.example.test"]).branding_title == "Near"
    assert brand_for(["https://shop.other.test:8443"]).branding_title == "Far"
    assert brand_for(["https://elsewhere.example", "nonsense"]).branding_title == "Near"


def test_the_login_page_looks_like_where_it_leads(flows: None, client: Client) -> None:
    """One login page for all applications; a brand of their own is drawn on the way to them."""
    create_brand(SYSTEM, domain="shop.test", branding_title="The Shop", attributes=THEME)
    protect(SYSTEM, name="Shop", slug="shop", external_host="https://www.shop.test")
    provider = ProxyProvider.objects.get()
    query = {
        "client_id": provider.client_id,
        "redirect_uri": "https://www.shop.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
        "response_type": "code",
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }

    on_the_way = client.get(client.get("/application/o/authorize/", query)["Location"]).content.decode()

    assert "<span>The Shop</span>" in on_the_way
    assert "<span>The Shop</span>" not in client.get(LOGIN).content.decode()


def test_colours_come_as_a_stylesheet_of_our_own(login_flows: None, client: Client) -> None:
    """The policy allows no other; it may be kept until it changes."""
    brand = create_brand(SYSTEM, domain="example.test", attributes=THEME)
    page = client.get(LOGIN).content.decode()
    (address,) = re.findall(rf'href="(/brand/{brand.pk}/style\.css\?v=\w+)"', page)

    style = client.get(address)

    assert "--accent: light-dark(#0b5394, #" in style.content.decode()
    assert style["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in style["Cache-Control"]
    assert "immutable" not in client.get(address.partition("?")[0])["Cache-Control"]


def test_a_brand_may_be_dark_only(login_flows: None, client: Client) -> None:
    """As authentik's ``theme.base`` says."""
    create_brand(SYSTEM, domain="example.test", attributes={"settings": {"theme": {"base": "dark"}}})

    assert '<meta name="color-scheme" content="dark">' in client.get(LOGIN).content.decode()


def test_pictures_of_one_other_origin_are_let_in(login_flows: None, client: Client) -> None:
    """Its logo's origin stands in the policy of the pages that show it, and nowhere else."""
    create_brand(SYSTEM, domain="example.test", branding_logo="https://cdn.example.test/logo.png")
    page = client.get(LOGIN)

    assert '<img class="logo" src="https://cdn.example.test/logo.png" alt="">' in page.content.decode()
    assert "img-src 'self' data: https://cdn.example.test;" in page["Content-Security-Policy"]
    assert "cdn" not in client.get("/api/v3/root/config/")["Content-Security-Policy"]


def test_a_page_does_not_ask_for_a_brand_that_has_not_changed(login_flows: None, client: Client) -> None:
    """However many of its parts are drawn."""
    client.get(LOGIN, headers={"accept-language": "en"})
    with CaptureQueriesContext(connection) as asked:
        client.get(LOGIN, headers={"accept-language": "en"})

    assert not [query for query in asked if "brands_brand" in query["sql"]]


def test_without_colours_nothing_more_is_fetched(login_flows: None, client: Client) -> None:
    """The default brand costs no request."""
    assert "/brand/" not in client.get(LOGIN).content.decode()


@pytest.mark.parametrize(
    "hostile",
    [
        {"branding_title": '"><img src=x onerror=alert(1)>'},
        {"branding_custom_css": "</style><script>alert(1)</script>"},
        {"attributes": {"settings": {"theme": "</style>"}}},
    ],
)
def test_nothing_that_a_brand_says_is_markup(login_flows: None, client: Client, hostile: dict[str, Any]) -> None:
    """It is shown as text, or not at all."""  # S-530
    create_brand(SYSTEM, domain="example.test", **hostile)
    page = client.get(LOGIN).content.decode()

    assert "<img src=x" not in page
    assert "alert(1)</script>" not in page


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("domain", {"domain": ""}),
        ("domain", {"domain": "exa mple"}),
        ("domain", {"domain": "Authentik-Default"}),
        ("branding_title", {"branding_title": " "}),
        ("branding_title", {"branding_title": "x" * 101}),
        ("branding_title", {"branding_title": "a\nb"}),
        ("branding_logo", {"branding_logo": "javascript:alert(1)"}),
        ("branding_favicon", {"branding_favicon": "data:,x"}),
        ("attributes", {"attributes": {"settings": {"theme": {"accent": "#fafafa"}}}}),
        ("attributes", {"attributes": {"settings": {"theme": {"base": "pink"}}}}),
        ("attributes", {"attributes": {"settings": {"locale": "tlh"}}}),
    ],
)
def test_what_cannot_be_drawn_is_refused(login_flows: None, field: str, fields: dict[str, Any]) -> None:
    """By the field that is wrong; nothing is stored."""
    with pytest.raises(ValidationError) as refused:
        create_brand(SYSTEM, **{"domain": "example.test", **fields})

    assert field in refused.value.message_dict
    assert Brand.objects.count() == 1


def test_there_is_always_one_default(login_flows: None) -> None:
    """Making another one the default takes it over; the default cannot be deleted."""
    made = create_brand(SYSTEM, domain="example.test", default=True)

    assert [brand.domain for brand in Brand.objects.filter(default=True)] == ["example.test"]
    with pytest.raises(Refused):
        delete_brand(SYSTEM, made)


def test_an_upload_goes_with_the_last_brand_that_shows_it(login_flows: None, admin: Visitor) -> None:
    """Replaced pictures do not pile up."""
    brand = create_brand(SYSTEM, domain="example.test")
    page = f"/if/admin/brands/{brand.pk}/"
    form = {"domain": "example.test", "branding_title": "Mine", "base": "automatic"}

    admin.send(page, **form, logo_file=SimpleUploadedFile("x.svg", PNG))
    brand.refresh_from_db()
    picture = Picture.objects.get()

    assert brand.branding_logo == f"/brand/pictures/{picture.key}"
    assert f'src="{brand.branding_logo}"' in admin.open(page)

    update_brand(SYSTEM, brand, branding_logo="")

    assert not Picture.objects.exists()


def test_an_administrator_makes_and_removes_one(admin: Visitor) -> None:
    """With its colours on the page, and an event for each change."""
    made = admin.send(
        "/if/admin/new/brand/",
        domain="Shop.Example.Test",
        branding_title="The Shop",
        base="automatic",
        accent="#0b5394",
        locale="de",
        attributes='{"mine": 1, "settings": {"layout": "x"}}',
    )
    brand = Brand.objects.get(domain="shop.example.test")

    assert made["Location"] == f"/if/admin/brands/{brand.pk}/"
    assert brand.attributes == {
        "mine": 1,
        "settings": {"layout": "x", "theme": {"base": "automatic", "accent": "#0b5394"}, "locale": "de"},
    }
    assert 'value="#0b5394"' in admin.open(made["Location"])
    assert "#0b5394" in admin.client.get(f"/brand/{brand.pk}/preview.css").content.decode()
    assert "The Shop" in admin.open("/if/admin/brands/")

    admin.send(f"/if/admin/brands/{brand.pk}/delete/")

    assert not Brand.objects.filter(pk=brand.pk).exists()
    about = Event.objects.filter(context__model__model_name="brand").values_list("action", flat=True)
    assert sorted(about) == ["model_created", "model_deleted"]


def test_a_colour_that_cannot_be_read_stays_in_the_form(admin: Visitor) -> None:
    """With the reason, and with one that can be."""
    answer = admin.send("/if/admin/new/brand/", domain="a.test", branding_title="A", base="light", accent="#ffff00")

    assert answer.status_code == 400
    assert "cannot be read on light pages" in admin.text
    assert not Brand.objects.filter(domain="a.test").exists()


def test_visitors_from_outside_come_for_one_application(bob: User, password: str, flows: None) -> None:
    """They are sent there instead of to a list."""
    wiki = protect(SYSTEM, name="Wiki", slug="wiki", external_host="https://wiki.example.test")
    Brand.objects.update(default_application=wiki)
    inside = Visitor("bob", password).get("/")["Location"]
    bob.type = "external"
    bob.save()

    assert inside == "/if/user/"
    assert Visitor("bob", password).get("/")["Location"] == "/application/launch/wiki/"


def test_the_api_keeps_custom_css_and_serves_none(admin: Visitor) -> None:
    """A configuration made for authentik is read back as it was written; the pages take nothing of it."""
    brand = create_brand(SYSTEM, domain="example.test", branding_custom_css="body { display: none }")

    assert (
        admin.client.get(f"/api/v3/core/brands/{brand.pk}/").json()["branding_custom_css"] == "body { display: none }"
    )
    assert admin.client.get("/api/v3/core/brands/current/").json()["branding_custom_css"] == ""
    assert b"display: none" not in admin.client.get(f"/brand/{brand.pk}/style.css").content
