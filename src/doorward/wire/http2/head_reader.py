"""Header blocks of one client connection to request heads: decompress, understand, remember.

A client that asks for the same thing again sends the same few bytes, as long as the table that they refer to did not
change. Such a block is looked up and not read. Every other one is read strictly.
"""

from __future__ import annotations

from doorward.messages.http import Header
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.request import RequestHead
from doorward.wire.http2.hpack import Decoder, ListTooLarge
from doorward.wire.http2.request import RequestParser

_MOST_REMEMBERED = 32
_LONGEST_REMEMBERED = 1024
_LARGEST_REMEMBERED = 8192
"""Bytes of a block, and of the fields in it; together this bounds what a connection can make us keep."""


class HeadReader:
    """``read`` every header block that opens a stream, ``decoder`` every other one, in the order of arrival."""

    __slots__ = ("_heads", "_parser", "_version", "decoder")

    def __init__(self, decoder: Decoder, limits: Limits, tls: bool) -> None:
        self.decoder = decoder
        self._parser = RequestParser(limits, tls)
        self._heads: dict[tuple[bytes, bool], RequestHead] = {}
        self._version = decoder.version

    def read(self, block: bytes, ended: bool) -> RequestHead:
        """``ended``: no body follows. Raises BadBlock, ListTooLarge(whole=False), StreamFault, Rejected."""
        decoder = self.decoder
        if decoder.version == self._version:
            head = self._heads.get((block, ended))
            if head is not None:
                return head
        else:
            self._heads.clear()
            self._version = decoder.version
        head = self._parser.parse(self._fields(block), decoder.list_size, ended)
        if (
            decoder.version == self._version
            and len(block) <= _LONGEST_REMEMBERED
            and decoder.list_size <= _LARGEST_REMEMBERED
        ):
            if len(self._heads) >= _MOST_REMEMBERED:
                self._heads.clear()
            self._heads[block, ended] = head
        return head

    def _fields(self, block: bytes) -> list[Header]:
        try:
            return self.decoder.decode(block)
        except ListTooLarge as error:
            if error.whole:
                raise Rejected(431, error.reason) from None
            raise
