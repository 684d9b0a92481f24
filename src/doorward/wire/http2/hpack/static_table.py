"""The 61 fields that need not be sent (RFC 7541 appendix A)."""

from __future__ import annotations

from doorward.messages.http import Header

_LINES = b"""\
:authority
:method: GET
:method: POST
:path: /
:path: /index.html
:scheme: http
:scheme: https
:status: 200
:status: 204
:status: 206
:status: 304
:status: 400
:status: 404
:status: 500
accept-charset
accept-encoding: gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate"""


def _field(line: bytes) -> Header:
    name, _, value = line.partition(b": ")
    return name, value


STATIC_TABLE: tuple[Header, ...] = tuple(map(_field, _LINES.split(b"\n")))
"""Index 1 is the first of them."""

INDEX_OF_FIELD: dict[Header, int] = {field: index for index, field in enumerate(STATIC_TABLE, 1)}

INDEX_OF_NAME: dict[bytes, int] = {
    name: index for index, (name, _) in reversed(tuple(enumerate(STATIC_TABLE, 1)))
}  # reversed, so that the lowest index of a name stays
