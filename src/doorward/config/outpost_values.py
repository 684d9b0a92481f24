"""What single values of an outpost's configuration must look like, as functions that say so (ValueError)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from doorward.config.entry_point import parse_address

LEAST_SECRET = 32
"""Characters of a cookie secret."""
_FIELD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_NOT_FOR_CLAIMS = frozenset({
    "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "te", "trailer",
    "upgrade", "expect", "cookie", "set-cookie", "content-type", "content-encoding", "date", "location",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-uri",
    "x-forwarded-method", "x-forwarded-prefix", "x-forwarded-server", "x-real-ip", "forwarded",
})  # fmt: skip
SHORTEST_AGE = 60.0
"""Seconds; the least that a step-up rule can ask for."""
_ACR_VALUE = re.compile(r"[!#-\[\]-~]{1,255}")
_DOMAIN = re.compile(r"\.?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def an_address(text: str) -> str:
    parse_address(text)
    return text


def a_network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8") from None
    return text


def a_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be a URL such as https://id.example.com, without query and credentials")
    return text


def an_origin(text: str) -> str:
    """``https://host[:port][/path]`` without what authentik's forms leave at its end."""
    return a_url(text).removesuffix("/*").rstrip("/")


def a_server(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https", "unix") or (parts.scheme != "unix" and not parts.hostname):
        raise ValueError("must be a server such as http://127.0.0.1:8080 or unix:/run/app.sock")
    if parts.path not in ("", "/") and parts.scheme != "unix":
        raise ValueError("must be a server without a path; say with path which requests go there")
    return text.rstrip("/") if parts.scheme != "unix" else text


def a_dial_address(text: str) -> str:
    host, port = parse_address(text)
    if not host:
        raise ValueError("must be host:port")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def a_plain_path(text: str) -> str:
    if not re.fullmatch(r"(?:/[A-Za-z0-9._~-]+)+/?|/", text) or "/." in text:
        raise ValueError("must be a plain path such as /oauth2/callback")
    return text


def a_domain(text: str) -> str:
    domain = text.lower().removeprefix("*").removeprefix("@")
    if _DOMAIN.fullmatch(domain) is None or "." not in domain.removeprefix("."):
        raise ValueError("must be a domain such as example.com, or .example.com for everything under it")
    return domain


def a_claim_field(text: str) -> str:
    folded = text.lower()
    if _FIELD_NAME.fullmatch(text) is None or folded in _NOT_FOR_CLAIMS or folded.startswith("x-authentik-"):
        raise ValueError("cannot be the name of a field for a claim")
    return text


def an_acr_value(text: str) -> str:
    if _ACR_VALUE.fullmatch(text) is None:
        raise ValueError("must be a value of acr: printable ASCII without space, quote and backslash")
    return text


def a_secret(text: str) -> str:
    if len(text) < LEAST_SECRET:
        raise ValueError(f"must have at least {LEAST_SECRET} characters; make one with: openssl rand -hex 32")
    return text
