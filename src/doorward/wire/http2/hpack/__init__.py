"""HPACK: header lists as bytes (RFC 7541). Knows nothing of HTTP/2 around it."""

from doorward.wire.http2.hpack.decoder import Decoder
from doorward.wire.http2.hpack.encoder import encode_field, encode_integer, field_prefix
from doorward.wire.http2.hpack.errors import BadBlock, ListTooLarge

__all__ = ["BadBlock", "Decoder", "ListTooLarge", "encode_field", "encode_integer", "field_prefix"]
