"""The texts to paste: for the right hosts, complete, and accepted by those who are to read them."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from doorward.config.decode import decode, parse
from doorward.config.dynamic import DynamicConfiguration
from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.outposts.actions import protect, update_proxy_provider
from doorward.identity.outposts.models import ProxyProvider
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
ADDRESSES = "?doorward=http://doorward.internal:9000&application=http://10.0.0.7:3000"


@pytest.fixture
def wiki(flows: None) -> Application:
    return protect(Actor.system(), name="Wiki", slug="wiki", external_host="https://wiki.example.test")


def texts(admin: Visitor, query: str = "", slug: str = "wiki") -> dict[str, str]:
    """What the page offers, by the id of its block."""
    admin.open(f"/if/admin/protect/{slug}/{query}")
    found = re.findall(r'<pre id="([a-z-]+)"[^>]*><code>(.*?)</code>', admin.raw, re.DOTALL)
    return {key: unescape(text) for key, text in found}


def document(text: str) -> Any:
    return yaml.safe_load(text)


def test_there_is_one_for_every_proxy(admin: Visitor, wiki: Application) -> None:
    """Doorward itself, Traefik in its three ways, nginx, Caddy, Envoy."""
    assert texts(admin).keys() == {
        "doorward-file",
        "traefik-file",
        "traefik-labels",
        "traefik-kubernetes",
        "nginx-server",
        "nginx-ingress",
        "caddy-file",
        "envoy-file",
        "envoy-istio",
    }


@pytest.mark.parametrize("key", ["doorward-file", "traefik-file"])
def test_traefik_and_doorward_read_the_same(admin: Visitor, wiki: Application, key: str) -> None:
    """Router, service and the forwardAuth middleware, with the reader's own addresses."""
    http = document(texts(admin, ADDRESSES)[key])["http"]

    assert http["routers"]["wiki"] == {
        "rule": "Host(`wiki.example.test`)",
        "entryPoints": ["websecure"],
        "middlewares": ["authentik"],
        "service": "wiki",
        "tls": {},
    }
    assert http["services"]["wiki"]["loadBalancer"]["servers"] == [{"url": "http://10.0.0.7:3000"}]
    asks = http["middlewares"]["authentik"]["forwardAuth"]
    assert asks["address"] == "http://doorward.internal:9000/outpost.goauthentik.io/auth/traefik"
    assert asks["trustForwardHeader"] is True
    assert {"X-authentik-username", "X-authentik-jwt", "X-authentik-entitlements"} <= set(asks["authResponseHeaders"])


@pytest.mark.parametrize("key", ["doorward-file", "traefik-file"])
def test_doorward_accepts_both(admin: Visitor, wiki: Application, key: str) -> None:
    """No key of them is unknown to our own decoder."""
    configuration = decode(parse(texts(admin)[key], Path("pasted.yml")), DynamicConfiguration)

    assert configuration.http
    assert configuration.http.routers.keys() == {"wiki"}


def test_labels_are_texts(admin: Visitor, wiki: Application) -> None:
    """Container engines refuse anything else."""
    labels = document(texts(admin)["traefik-labels"])["labels"]

    assert all(isinstance(value, str) for value in labels.values())
    assert labels["traefik.http.routers.wiki.rule"] == "Host(`wiki.example.test`)"


def test_the_annotation_names_the_middleware(admin: Visitor, wiki: Application) -> None:
    """As namespace-name@kubernetescrd, which people get wrong."""
    middleware, ingress = yaml.safe_load_all(texts(admin)["traefik-kubernetes"])

    named = ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"]
    assert named == f"{middleware['metadata']['namespace']}-{middleware['metadata']['name']}@kubernetescrd"
    assert ingress["spec"]["rules"][0]["host"] == "wiki.example.test"


def test_a_path_and_a_port(admin: Visitor, flows: None) -> None:
    """An application below a path of a host that has others, on a port of its own, without TLS."""
    protect(Actor.system(), name="G", slug="g", external_host="http://tools.example.test:8080/grafana")
    found = texts(admin, slug="g")

    router = document(found["traefik-file"])["http"]["routers"]["g"]
    assert router["rule"] == "Host(`tools.example.test`) && PathPrefix(`/grafana`)"
    assert router["entryPoints"] == ["web"]
    assert "tls" not in router
    assert "listen 8080;" in found["nginx-server"]
    assert "location /grafana {" in found["nginx-server"]
    assert "location /grafana/outpost.goauthentik.io {" in found["nginx-server"]
    assert "location /outpost.goauthentik.io {" in found["nginx-server"]
    assert found["caddy-file"].startswith("http://tools.example.test:8080 {")
    assert "route /grafana/* {" in found["caddy-file"]


def test_nginx_and_caddy_are_told_every_header(admin: Visitor, wiki: Application) -> None:
    """What is not set could be sent by a client."""
    found = texts(admin, ADDRESSES)

    for name in ("username", "groups", "entitlements", "email", "name", "uid", "jwt", "meta-jwks", "meta-version"):
        assert f"proxy_set_header X-authentik-{name} $authentik_{name.replace('-', '_')};" in found["nginx-server"]
        assert f"X-Authentik-{name.title()} " in found["caddy-file"].replace("\n", " ")
    assert "return 302 /outpost.goauthentik.io/start?rd=$scheme://$http_host$request_uri;" in found["nginx-server"]


def test_fields_of_ones_own_are_handed_on(admin: Visitor, wiki: Application, akadmin: User) -> None:
    """Out of attributes, and HTTP Basic: named where the proxy takes them, and no client's copy passes. A name that
    means something in a configuration is not written into one."""
    assert "forwardBody" not in texts(admin, ADDRESSES)["traefik-file"]
    fields = {"x-team": "ops", "X$host": "no", "X-authentik-username": "no"}
    update_user(Actor.system(), akadmin, attributes={"additionalHeaders": fields})
    provider = ProxyProvider.objects.get()
    update_proxy_provider(
        Actor.system(),
        provider,
        basic_auth_enabled=True,
        basic_auth_user_attribute="u",
        basic_auth_password_attribute="p",
        keep_posts=True,
    )
    found = texts(admin, ADDRESSES)
    for key in ("doorward-file", "traefik-file"):
        asks = document(found[key])["http"]["middlewares"]["authentik"]["forwardAuth"]
        assert asks["authResponseHeaders"][-2:] == ["X-Team", "Authorization"]
        assert asks["forwardBody"] is True
    assert ",X-Team,Authorization" in found["traefik-labels"]
    assert "proxy_set_header X-Team $authentik_x_team;" in found["nginx-server"]
    assert "auth_request_set $authentik_x_team $upstream_http_x_team;" in found["nginx-server"]
    assert "request_header -X-Team\n" in found["caddy-file"]
    assert found["caddy-file"].count("Authorization") == 1
    assert "- remove: x-team" in found["envoy-file"]
    document(found["envoy-file"])
    assert not any("$Host" in text or "$host\n" in text for text in found.values())


def test_without_addresses_it_is_this_machine(
    admin: Visitor, wiki: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real port of the identity entry point."""
    monkeypatch.setattr(settings, "IDENTITY_PORT", 19000)

    assert "http://127.0.0.1:19000/outpost.goauthentik.io/auth/traefik" in texts(admin)["traefik-file"]


@pytest.mark.parametrize(
    "address",
    ["http://x/path", "ftp://x", "http://x; evil", "http://x%0aevil: y", "javascript:alert(1)", "http://u:p@x", "x"],
)
def test_only_a_plain_address_gets_in(admin: Visitor, wiki: Application, address: str) -> None:
    """It is about to be pasted into a configuration: anything else is refused in words, and the usual one shown."""
    found = texts(admin, f"?doorward={address}")

    assert "An address like http://doorward.internal:9000" in admin.text
    assert all("evil" not in text for text in found.values())
    assert "http://127.0.0.1:9000/" in found["traefik-file"]


def test_every_text_has_a_copy_button_that_names_it(admin: Visitor, wiki: Application) -> None:
    """One hears which of the seven one copies."""
    admin.open("/if/admin/protect/wiki/")

    for key in texts(admin):
        assert f'data-copies="{key}"' in admin.raw
    assert "Traefik: Container labels" in admin.text
