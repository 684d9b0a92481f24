"""Small pages that say what happened and what to do next, whole in themselves: no script, nothing to load.

They are shown on the application's own host, in the middle of somebody's work. So each has a plain sentence, at
most a few causes, one link that works, and a reference that stands in our log as well. What came from outside is
escaped; no address of a server behind us and no stack trace is ever on them (S-337).
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from html import escape
from json import dumps as encode

from doorward.messages.http import Header, HttpAnswer

NO_STORE: Header = (b"Cache-Control", b"no-store")

_STYLE = """
:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.55 system-ui,sans-serif;
background:light-dark(#f4f5f7,#15171b);color:light-dark(#1c2027,#e6e8ec)}
main{box-sizing:border-box;width:min(34rem,calc(100vw - 2rem));margin:1rem;padding:2rem;border-radius:.75rem;
background:light-dark(#fff,#1f2228);box-shadow:0 1px 3px #0003}
h1{margin:0 0 .75rem;font-size:1.35rem;line-height:1.3}
p,ul{margin:0 0 1rem}
ul{padding-left:1.25rem}
.go{display:inline-block;border:0;font:inherit;cursor:pointer;
padding:.6rem 1.1rem;border-radius:.5rem;background:#1d4ed8;color:#fff;
text-decoration:none;font-weight:600}
.go:hover{background:#1e40af}
.go:focus-visible{outline:3px solid light-dark(#1c2027,#e6e8ec);outline-offset:2px}
small{color:light-dark(#5a6270,#a2a9b6);overflow-wrap:anywhere}
"""
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: tuple[Header, ...] = (
    (b"Content-Type", b"text/html; charset=utf-8"),
    NO_STORE,
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Referrer-Policy", b"same-origin"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """The next step."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Page(HttpAnswer):
    """An answer that tells somebody what happened, with what the record of it repeats."""

    _: KW_ONLY
    title: str = ""
    said: str = ""
    reason: str = ""
    """A key of ``messages.decisions.REASONS``, where the page itself says which it is."""
    reference: str = ""
    """Stands in the body where one is shown; whoever records the answer puts the request's id in its place."""


@dataclass(frozen=True, slots=True)
class Form:
    """A next step that sends something."""

    label: str
    url: str
    """Absolute."""
    fields: tuple[tuple[str, str], ...]


def page(
    status: int,
    title: str,
    *sentences: str,
    causes: tuple[str, ...] = (),
    link: Link | None = None,
    also: Link | None = None,
    form: Form | None = None,
    cookies: tuple[bytes, ...] = (),
    headers: tuple[Header, ...] = (),
    reason: str = "",
) -> Page:
    """A page with ``title`` and ``sentences`` (plain text), possible ``causes`` as a list, the next step, and
    another one (``also``)."""
    reference = secrets.token_hex(16)
    parts = [f"<p>{escape(sentence)}</p>" for sentence in sentences]
    if causes:
        parts.append("<ul>" + "".join(f"<li>{escape(cause)}</li>" for cause in causes) + "</ul>")
    if form is not None:
        parts.append(_written(form))
    if link is not None:
        parts.append(f'<p><a class="go" href="{escape(link.url)}">{escape(link.label)}</a></p>')
    if also is not None:
        parts.append(f'<p><a href="{escape(also.url)}">{escape(also.label)}</a></p>')
    if status >= 400:
        parts.append(f"<small>Reference for your administrator: {reference}</small>")
    body = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</main></body></html>\n"
    )
    set_cookies = tuple((b"Set-Cookie", cookie) for cookie in cookies)
    policy: Header = (b"Content-Security-Policy", _policy(form).encode("ascii"))
    return Page(
        status,
        (*_HEADERS, policy, *headers, *set_cookies),
        body.encode(),
        title=title,
        said=" ".join(sentences),
        reason=reason,
        reference=reference,
    )


def _written(form: Form) -> str:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.fields
    )
    return (
        f'<form method="post" action="{escape(form.url)}">{fields}'
        f'<p><button class="go">{escape(form.label)}</button></p></form>'
    )


def _policy(form: Form | None) -> str:
    """Nothing may be loaded, and a form may go only where it belongs."""
    action = "'none'" if form is None else "/".join(form.url.split("/", 3)[:3])
    return (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action {action}; "
        "frame-ancestors 'none'"
    )


def text(status: int, body: str, *headers: Header) -> HttpAnswer:
    """A plain text answer, for proxies and programs."""
    fixed = ((b"Content-Type", b"text/plain; charset=utf-8"), NO_STORE, (b"X-Content-Type-Options", b"nosniff"))
    return HttpAnswer(status, (*fixed, *headers), body.encode())


def json(status: int, body: bytes, *headers: Header) -> HttpAnswer:
    """An answer whose body is already JSON."""
    fixed = ((b"Content-Type", b"application/json"), NO_STORE, (b"X-Content-Type-Options", b"nosniff"))
    return HttpAnswer(status, (*fixed, *headers), body)


def reason(status: int, said: Mapping[str, object], *headers: Header) -> Page:
    """A refusal to a program: ``said`` as a JSON object, with a reference as ``request_id``."""
    reference = secrets.token_hex(16)
    answer = json(status, encode({**said, "request_id": reference}).encode(), *headers)
    return Page(status, answer.headers, answer.body, said=str(said.get("detail", "")), reference=reference)


def found(location: str, *cookies: bytes, method: bytes) -> HttpAnswer:
    """302 to ``location`` (ASCII). A GET also gets the customary one-line body."""
    headers: list[Header] = [(b"Location", location.encode("ascii")), NO_STORE]
    headers.extend((b"Set-Cookie", cookie) for cookie in cookies)
    if method not in (b"GET", b"HEAD"):
        return HttpAnswer(302, tuple(headers))
    headers.append((b"Content-Type", b"text/html; charset=utf-8"))
    body = f'<a href="{escape(location)}">Found</a>.\n\n'.encode() if method == b"GET" else b""
    return HttpAnswer(302, tuple(headers), body)
