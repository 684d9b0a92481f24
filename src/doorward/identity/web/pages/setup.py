"""What to paste into the proxy in front of a protected application, with this application's own hosts filled in.

Each proxy's text is a template (``templates/admin/setup/``) that reads like the file it will be part of. The two
addresses that nobody but the reader knows (this program and the application, as the proxy reaches them) come from the
page's query; anything but a plain address is refused, because it is about to be pasted into a configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from doorward.identity.applications.models import Application
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.outposts import additional_headers
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.web.forms.fields import plain_input
from doorward.messages.outposts import IDENTITY_HEADERS

APPLICATION_EXAMPLE = "http://127.0.0.1:8000"
_HEADER = re.compile("[A-Za-z0-9-]+")
"""Names that mean the same in every proxy's configuration, and nothing else there."""
_ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Server:
    """An inside address, taken apart."""

    name: str
    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Place:
    """A protected application as its proxy sees it."""

    slug: str
    external_host: str
    host: str
    """Name without port."""
    port: int
    tls: bool
    path: str
    """Without a slash at its end; empty for the whole host."""
    doorward: str
    application: str
    external_url: str
    """Of the identity provider."""
    patterns: tuple[str, ...]
    """Regular expressions of paths that are open."""
    more_headers: tuple[str, ...] = ()
    """Fields that somebody's attributes add."""
    basic_auth: bool = False
    """The application gets HTTP Basic credentials."""
    keeps_forms: bool = False

    @property
    def headers(self) -> tuple[str, ...]:
        """All that must be handed on. A proxy takes a client's copy of each away: also one that this person's answer
        does not have."""
        return (*IDENTITY_HEADERS, *self.more_headers, *(("Authorization",) if self.basic_auth else ()))

    @property
    def rule(self) -> str:
        """The router's rule in the proxy's own language."""
        return f"Host(`{self.host}`)" + (_(" && PathPrefix(`%(path)s`)") % {"path": self.path} if self.path else "")

    @property
    def outpost_prefixes(self) -> tuple[str, ...]:
        """Below which paths the outpost's own pages are: the host's, and the application's own where it has one."""
        return ("", self.path) if self.path else ("",)

    @property
    def site(self) -> str:
        """How Caddy names it."""
        scheme = "" if self.tls else "http://"
        return f"{scheme}{self.host}" + ("" if self.port in (80, 443) else f":{self.port}")

    @property
    def entry_point(self) -> str:
        return "websecure" if self.tls else "web"

    @property
    def servers(self) -> tuple[Server, ...]:
        """Where the proxy connects to."""
        return (_server("doorward", self.doorward), _server("application", self.application))


@dataclass(frozen=True, slots=True)
class Snippet:
    """One text to paste."""

    key: str
    title: str
    language: str
    template: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A kind of proxy, with its texts."""

    key: str
    name: str
    lead: str
    snippets: tuple[Snippet, ...]


PROXIES = (
    Proxy(
        "doorward",
        gettext_lazy("Doorward"),
        gettext_lazy(
            "Doorward is the proxy too. This goes into the file that providers.file names; it is taken over at once."
        ),
        (Snippet("file", gettext_lazy("Dynamic configuration"), "yaml", "doorward.yml"),),
    ),
    Proxy(
        "traefik",
        gettext_lazy("Traefik"),
        gettext_lazy("You run Traefik and keep it. forwardAuth asks Doorward about every request."),
        (
            Snippet("file", gettext_lazy("File"), "yaml", "traefik.yml"),
            Snippet(
                "labels",
                gettext_lazy("Container labels"),
                "yaml",
                "traefik-labels.yml",
                gettext_lazy("On the application's own container."),
            ),
            Snippet(
                "kubernetes",
                gettext_lazy("Kubernetes"),
                "yaml",
                "traefik-kubernetes.yml",
                gettext_lazy("The annotation names the middleware as namespace-name@kubernetescrd."),
            ),
        ),
    ),
    Proxy(
        "nginx",
        "nginx",
        gettext_lazy("nginx asks with auth_request and redirects by itself."),
        (
            Snippet("server", gettext_lazy("Server block"), "nginx", "nginx.conf"),
            Snippet(
                "ingress",
                gettext_lazy("Ingress annotations"),
                "yaml",
                "nginx-ingress.yml",
                gettext_lazy("For the nginx ingress controller."),
            ),
        ),
    ),
    Proxy(
        "caddy",
        gettext_lazy("Caddy"),
        gettext_lazy("Caddy asks with forward_auth. It wants the header names in this capitalisation."),
        (Snippet("file", gettext_lazy("Caddyfile"), "caddy", gettext_lazy("Caddyfile")),),
    ),
    Proxy(
        "envoy",
        gettext_lazy("Envoy"),
        gettext_lazy("Envoy asks with ext_authz, over HTTP."),
        (
            Snippet("file", gettext_lazy("Configuration"), "yaml", "envoy.yml"),
            Snippet(
                "istio",
                gettext_lazy("Istio"),
                "yaml",
                "istio.yml",
                gettext_lazy("The service is Doorward's own, in the namespace doorward."),
            ),
        ),
    ),
)


class AddressForm(forms.Form):
    """The two addresses that only the reader knows."""

    doorward = forms.CharField(
        label="Doorward, as your proxy reaches it",
        max_length=300,
        widget=plain_input(inputmode="url"),
        help_text="The identity entry point, by default port 9000.",
    )
    application = forms.CharField(
        label="The application, as your proxy reaches it",
        max_length=300,
        widget=plain_input(inputmode="url"),
        help_text="Its inside address.",
    )

    def clean_doorward(self) -> str:
        return _address(self.cleaned_data["doorward"])

    def clean_application(self) -> str:
        return _address(self.cleaned_data["application"])


@dataclass(frozen=True, slots=True)
class Filled:
    """A snippet with its text."""

    id: str
    snippet: Snippet
    text: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What the page shows."""

    place: Place
    form: AddressForm
    proxies: tuple[tuple[Proxy, tuple[Filled, ...]], ...]


def setup_of(request: HttpRequest, application: Application, provider: ProxyProvider) -> Setup:
    """All texts for one application, with the addresses from the query where they are addresses."""
    defaults = {"doorward": default_address(), "application": APPLICATION_EXAMPLE}
    form = AddressForm({**defaults, **{name: request.GET[name] for name in defaults if request.GET.get(name)}})
    given = form.cleaned_data if form.is_valid() else {**defaults, **form.cleaned_data}
    place = place_of(application, provider, given["doorward"], given["application"])
    filled = tuple((proxy, tuple(fill(proxy, snippet, place) for snippet in proxy.snippets)) for proxy in PROXIES)
    return Setup(place, form, filled)


def place_of(application: Application, provider: ProxyProvider, doorward: str, inside: str) -> Place:
    """Take the outside URL apart."""
    parts = urlsplit(provider.external_host)
    return Place(
        slug=application.slug,
        external_host=provider.external_host,
        host=parts.hostname or "",
        port=parts.port or (443 if parts.scheme == "https" else 80),
        tls=parts.scheme == "https",
        path=parts.path,
        doorward=doorward,
        application=inside,
        external_url=settings.EXTERNAL_URL,
        patterns=tuple(line for line in provider.skip_path_regex.splitlines() if line),
        more_headers=tuple(name.title() for name in additional_headers.names() if _HEADER.fullmatch(name)),
        basic_auth=provider.basic_auth_enabled,
        keeps_forms=provider.keep_posts,
    )


def fill(proxy: Proxy, snippet: Snippet, place: Place) -> Filled:
    """One text."""
    upstream = [name.replace("-", "_").lower() for name in place.headers]
    own = ["authentik_" + name.removeprefix("x_authentik_") for name in upstream]
    variables = list(zip(place.headers, own, upstream, strict=True))
    context = {"place": place, "headers": place.headers, "variables": variables}
    text = render_to_string(f"admin/setup/{snippet.template}", context)
    return Filled(f"{proxy.key}-{snippet.key}", snippet, text.strip() + "\n")


def default_address() -> str:
    """The identity entry point for a proxy on this machine."""
    return f"http://127.0.0.1:{settings.IDENTITY_PORT}"


def _server(name: str, address: str) -> Server:
    parts = urlsplit(address)
    return Server(name, parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def _address(text: str) -> str:
    text = text.strip().rstrip("/")
    if not _ADDRESS.fullmatch(text):
        raise ValidationError(_("An address like http://doorward.internal:9000, without a path."), "address")
    return text
