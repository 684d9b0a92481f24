"""Questions to the issuer's own endpoints: one form, one answer, no redirects (S-124)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.outpost.application import Application
from doorward.outpost.ports import IdentityChannel, IdentityUnreachable

MAX_ANSWER = 1 << 20
"""Bytes."""
_BUSY = 429


class GrantRefused(Exception):
    """The token endpoint did not give tokens; ``error`` is its error code, or the status."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class TokenAnswer(msgspec.Struct):
    """What the token endpoint gives."""

    access_token: str
    id_token: str = ""
    refresh_token: str = ""
    expires_in: int | float | str | None = None
    """Seconds for which the access token is good."""


class _TokenError(msgspec.Struct):
    error: str = ""


async def post_form(
    channel: IdentityChannel, url: str, form: Mapping[str, str], client_ip: str = "", credentials: bytes = b""
) -> HttpAnswer:
    """The answer of ``url`` to ``form``. ``client_ip``: for whom we ask, so that failures are counted where they come
    from and not for everybody. ``credentials``: the ``Authorization`` field. Raises IdentityUnreachable, also for an
    issuer that has no time."""
    parts = urlsplit(url)
    headers: list[Header] = [
        (b"Host", parts.netloc.encode()),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (b"Accept", b"application/json"),
    ]
    if credentials:
        headers.append((b"Authorization", credentials))
    if client_ip.isascii() and client_ip.isprintable() and client_ip:
        headers.append((b"X-Forwarded-For", client_ip.encode()))
    target = (parts.path + (f"?{parts.query}" if parts.query else "")).encode()
    answer = await channel.fetch(HttpQuestion(b"POST", target, tuple(headers), urlencode(form).encode()), url)
    if answer.status >= 500 or answer.status == _BUSY:
        raise IdentityUnreachable(f"{url} answered {answer.status}")
    return answer


async def request_tokens(
    channel: IdentityChannel, application: Application, grant: Mapping[str, str], client_ip: str = ""
) -> TokenAnswer:
    """Tokens for ``grant``, asked for with the client's secret. Raises GrantRefused, IdentityUnreachable."""
    form, credentials = as_client(application, grant)
    answer = await post_form(channel, application.provider.token_endpoint, form, client_ip, credentials)
    if answer.status != 200 or len(answer.body) > MAX_ANSWER:
        raise GrantRefused(_error_code(answer.body) or f"status {answer.status}")
    try:
        return msgspec.json.decode(answer.body, type=TokenAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GrantRefused("the answer holds no tokens") from error


def as_client(application: Application, form: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    """``form`` as this client sends it, and the ``Authorization`` field beside it (RFC 6749 section 2.3.1)."""
    provider = application.provider
    how = provider.foreign.client_authentication if provider.foreign is not None else "post"
    if how == "basic":
        pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
        return dict(form), b"Basic " + b64encode(pair.encode())
    secret = {} if how == "none" else {"client_secret": provider.client_secret}
    return {**form, "client_id": provider.client_id, **secret}, b""


def _error_code(body: bytes) -> str:
    try:
        error = msgspec.json.decode(body[:MAX_ANSWER], type=_TokenError).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return error[:64] if error.isascii() and error.isprintable() else ""
