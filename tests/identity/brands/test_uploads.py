"""Everything that can be uploaded: what it is called plays no part, and only what is harmless is kept."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from doorward.identity.applications.models import Application
from doorward.identity.brands.models import Brand, Picture
from doorward.identity.directory.models import User
from identity.brands import drawn
from identity.web.visitor import Visitor

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
APPLICATION = "/if/admin/applications/wiki/edit/"
NAMES = ("../../x.png", "/etc/cron.d/x", "C:\\x.png", "x.html", "a" * 300)


@pytest.fixture
def wiki(flows: None) -> Application:
    return Application.objects.create(name="Wiki", slug="wiki")


def of_application(visitor: Visitor, file: SimpleUploadedFile) -> int:
    fields = {"name": "Wiki", "slug": "wiki", "policy_engine_mode": "any"}
    return int(visitor.send(APPLICATION, **fields, icon_file=file).status_code)


def of_brand(visitor: Visitor, file: SimpleUploadedFile) -> int:
    brand = Brand.objects.get(default=True)
    fields = {"domain": brand.domain, "branding_title": "Mine", "base": "automatic", "default": "on"}
    return int(visitor.send(f"/if/admin/brands/{brand.pk}/", **fields, logo_file=file).status_code)


@pytest.mark.parametrize("door", [of_application, of_brand])
def test_only_what_holds_pixels_is_taken(admin: Visitor, wiki: Application, door: object) -> None:
    """A script in an SVG, a page that is called a picture, a bomb, fifty megabytes: refused, and nothing is kept."""
    # S-614
    assert callable(door)
    for name, content, kind in (
        ("logo.svg", SVG, "image/svg+xml"),
        ("logo.png", HTML, "image/png"),
        ("logo.png", SVG, "image/png"),
        ("bomb.png", drawn.png(50_000, 50_000), "image/png"),
        ("large.png", drawn.png(more=bytes(50 << 20)), "image/png"),
    ):
        assert door(admin, SimpleUploadedFile(name, content, kind)) == 400, name
    assert not Picture.objects.exists()
    wiki.refresh_from_db()
    assert wiki.meta_icon == ""


@pytest.mark.parametrize("door", [of_application, of_brand])
def test_its_name_plays_no_part(admin: Visitor, wiki: Application, door: object) -> None:
    """It is kept under the hash of what it holds, and served as what it is, whatever it was called."""
    # S-614
    assert callable(door)
    for number, name in enumerate(NAMES):
        content = drawn.png(more=bytes([number]))

        assert door(admin, SimpleUploadedFile(name, content, "text/html")) == 303

        picture = Picture.objects.get()
        assert picture.key == hashlib.sha256(content).hexdigest()
        answer = admin.get(f"/brand/pictures/{picture.key}")
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["Content-Disposition"] == "attachment"
    for path in ("..", "../x", "%2e%2e%2fx", "x/../../y", "\\x"):
        assert admin.get(f"/brand/pictures/{path}").status_code == 404


def test_an_application_s_icon_stands_in_the_library(
    admin: Visitor, wiki: Application, akadmin: User, password: str
) -> None:
    """And goes with the last that shows it."""
    assert of_application(admin, SimpleUploadedFile("icon.png", drawn.png())) == 303
    wiki.refresh_from_db()
    assert wiki.meta_icon == f"/brand/pictures/{Picture.objects.get().key}"
    wiki.meta_launch_url = "https://wiki.example.test/"
    wiki.save()
    assert f'<img src="{wiki.meta_icon}"' in admin.open("/if/user/")

    assert of_brand(admin, SimpleUploadedFile("logo.gif", drawn.gif())) == 303
    assert Picture.objects.count() == 2
    assert admin.send("/if/admin/applications/wiki/delete/").status_code == 303
    assert [picture.media_type for picture in Picture.objects.all()] == ["image/gif"]


@pytest.mark.parametrize("page", ["/if/admin/users/import/", "/if/admin/blueprints/apply/"])
def test_what_is_read_is_read_as_text_and_not_kept(admin: Visitor, page: str) -> None:
    """Pixels, a path for a name, megabytes: said to be no such file."""
    # S-614
    users = User.objects.count()
    for name, content in (("../../x.csv", drawn.png(more=b"\xff\xfe")), ("/etc/passwd", bytes(2 << 20))):
        assert admin.send(page, file=SimpleUploadedFile(name, content)).status_code == 400
    assert User.objects.count() == users
    assert not Picture.objects.exists()
