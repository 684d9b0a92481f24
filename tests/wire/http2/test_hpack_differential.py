"""Our header compression against the ``hpack`` package: each reads what the other writes."""

from __future__ import annotations

from hpack import Decoder as TheirDecoder
from hpack import Encoder as TheirEncoder
from hpack import HPACKError, NeverIndexedHeaderTuple
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.wire.http2.hpack import BadBlock, Decoder, ListTooLarge, encode_field
from doorward.wire.http2.hpack.huffman import huffman_decode

Fields = list[tuple[bytes, bytes]]

names = st.sampled_from([b":path", b":method", b"cookie", b"x-long-name-" * 4, b"accept", b"te", b"x"]) | st.binary(
    min_size=1, max_size=30
)
values = st.sampled_from([b"", b"GET", b"/", b"gzip, deflate", b"v" * 130]) | st.binary(max_size=60)
lists = st.lists(st.tuples(names, values), max_size=12)


@settings(max_examples=200)
@given(st.lists(st.tuples(lists, st.booleans(), st.none() | st.integers(0, 4096), st.booleans()), max_size=6))
def test_we_read_what_they_write(messages: list[tuple[Fields, bool, int | None, bool]]) -> None:
    """Several lists in a row, compressed in every way, with the table growing and shrinking between them."""
    theirs, ours = TheirEncoder(), Decoder(4096, 1 << 20)
    for fields, huffman, table_size, secret in messages:
        if table_size is not None:
            theirs.header_table_size = table_size
        given_fields = [NeverIndexedHeaderTuple(*field) if secret else field for field in fields]
        assert ours.decode(theirs.encode(given_fields, huffman=huffman)) == fields


@given(lists)
def test_they_read_what_we_write(fields: Fields) -> None:
    """Without a table, in one form per field."""
    theirs = TheirDecoder(max_header_list_size=1 << 20)
    block = b"".join(map(encode_field, fields))

    assert [(bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)] == fields


@given(st.binary(max_size=200))
def test_huffman(text: bytes) -> None:
    """Any string comes back from their encoder."""
    assert huffman_decode(HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(text)) == text


pieces = st.sampled_from(
    [
        bytes.fromhex(text)
        for text in (
            [
                "82",
                "84",
                "be",
                "bf",
                "c0",
                "20",
                "3f",
                "e1",
                "1f",
                "40",
                "41",
                "44",
                "00",
                "10",
                "01",
                "61",
                "03",
                "81",
                "82",
                "84",
                "ff",
                "07",
                "7f",
                "0f",
            ]
        )
    ]
)


@settings(max_examples=400)
@given(st.lists(st.lists(pieces, max_size=14).map(b"".join) | st.binary(max_size=24), min_size=1, max_size=3))
def test_any_bytes_are_read_alike_or_refused(blocks: list[bytes]) -> None:
    """Whatever we accept they accept and read alike; where we refuse more than they, it is for a known reason."""
    theirs, ours = TheirDecoder(max_header_list_size=1 << 20), Decoder(4096, 1 << 20)
    for block in blocks:
        try:
            found: Fields | str = ours.decode(block)
        except BadBlock as error:
            found = error.reason
        try:
            expected = [(bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)]
        except HPACKError:
            assert isinstance(found, str)
            return
        if isinstance(found, str):
            # They take integers of any length, more size updates than have a use, and updates that are too large only
            # on their next block.
            assert found in ("integer", "table_size", "truncated"), (found, expected)
            return
        assert found == expected


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_arbitrary_bytes_raise_nothing_else(blocks: list[bytes]) -> None:
    """Two errors are all there is."""
    ours = Decoder(4096, 200)
    try:
        for block in blocks:
            ours.decode(block)
    except (BadBlock, ListTooLarge):
        pass
