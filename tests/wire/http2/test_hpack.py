"""Header compression: the RFC's own examples, what is refused, what is bounded (RFC 7541; h2spec, "hpack")."""

from __future__ import annotations

import pytest
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.table import HeaderTable

from doorward.wire.http2.hpack import BadBlock, Decoder, ListTooLarge, encode_field, encode_integer
from doorward.wire.http2.hpack.encoder import encode_length
from doorward.wire.http2.hpack.huffman import CODE_LENGTHS, code_table, huffman_decode
from doorward.wire.http2.hpack.static_table import STATIC_TABLE


def decoder() -> Decoder:
    return Decoder(4096, 65536)


def test_the_static_table_is_the_rfcs() -> None:
    """All 61 fields, in order (appendix A)."""
    assert list(STATIC_TABLE) == [(bytes(name), bytes(value)) for name, value in HeaderTable.STATIC_TABLE]


def test_the_huffman_code_is_the_rfcs() -> None:
    """All 257 codes and their lengths (appendix B)."""
    assert list(CODE_LENGTHS) == list(REQUEST_CODES_LENGTH)
    assert code_table() == list(REQUEST_CODES)


REQUESTS = [
    [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com")],
    [
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":path", b"/"),
        (b":authority", b"www.example.com"),
        (b"cache-control", b"no-cache"),
    ],
    [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":path", b"/index.html"),
        (b":authority", b"www.example.com"),
        (b"custom-key", b"custom-value"),
    ],
]


@pytest.mark.parametrize(
    "blocks",
    [
        (
            "828684410f7777772e6578616d706c652e636f6d",
            "828684be58086e6f2d6361636865",
            "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ),
        (
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ),
    ],
    ids=["C.3 plain", "C.4 huffman"],
)
def test_the_rfcs_requests(blocks: tuple[str, ...]) -> None:
    """Three requests in a row, each on what the last one left in the table (appendix C)."""
    reading = decoder()

    assert [reading.decode(bytes.fromhex(block)) for block in blocks] == REQUESTS


def test_the_rfcs_responses_evict() -> None:
    """A table of 256 bytes: the oldest give way (appendix C.6)."""
    reading = Decoder(4096, 65536)
    reading.decode(b"\x3f\xe1\x01")
    blocks = (
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672"
        "c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    )
    first, second, third = (reading.decode(bytes.fromhex(block)) for block in blocks)

    assert first == [
        (b":status", b"302"),
        (b"cache-control", b"private"),
        (b"date", b"Mon, 21 Oct 2013 20:13:21 GMT"),
        (b"location", b"https://www.example.com"),
    ]
    assert second == [(b":status", b"307"), *first[1:]]
    assert third == [
        (b":status", b"200"),
        (b"cache-control", b"private"),
        (b"date", b"Mon, 21 Oct 2013 20:13:22 GMT"),
        (b"location", b"https://www.example.com"),
        (b"content-encoding", b"gzip"),
        (b"set-cookie", b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ]
    with pytest.raises(BadBlock):
        reading.decode(b"\xc1")  # three entries are left


@pytest.mark.parametrize(
    ("block", "fields"),
    [
        ("82", [(b":method", b"GET")]),
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [(b"custom-key", b"custom-header")]),
        ("040c2f73616d706c652f70617468", [(b":path", b"/sample/path")]),
        ("100870617373776f726406736563726574", [(b"password", b"secret")]),
        ("0000", None),
        ("000000", [(b"", b"")]),
        ("20", []),
        ("3fe11f", []),
        ("203fe11f82", [(b":method", b"GET")]),
        ("", []),
    ],
)
def test_forms_of_fields(block: str, fields: list[tuple[bytes, bytes]] | None) -> None:
    """Indexed, literal with, without and never with indexing, table size updates (generic 5/1 to 5/15)."""
    if fields is None:
        with pytest.raises(BadBlock):
            decoder().decode(bytes.fromhex(block))
    else:
        assert decoder().decode(bytes.fromhex(block)) == fields


BROKEN = {
    "2.3.3/1 index beyond the tables": "c6",
    "2.3.3 index right after the static table": "be",
    "2.3.3/2 name beyond the tables": "7f0704746573",
    "4.2/1 size update after a field": "8220",
    "4.2 three size updates": "202020",
    "5.1 integer without end": "ffffffffffff0f",
    "5.1 integer cut short": "ff",
    "5.1 integer beyond any table": "ff80808001",
    "5.2/1 padding of more than seven bits": "000161" + "8207ff",
    "5.2/2 padding with zeros": "000161" + "8118",
    "5.2/3 end of string within": "000161" + "84ffffffff",
    "6.1/1 index 0": "80",
    "6.2 name cut short": "40",
    "6.2 name shorter than stated": "400461",
    "6.2 value cut short": "400161",
    "6.2 value shorter than stated": "40016105",
    "6.3/1 size update beyond what was offered": "3fe21f",
}


@pytest.mark.parametrize("block", BROKEN.values(), ids=BROKEN)
def test_broken_blocks(block: str) -> None:
    """Nothing is guessed: the table would not be the peer's any more."""
    with pytest.raises(BadBlock):
        decoder().decode(bytes.fromhex(block))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_huffman_padding(size: int) -> None:
    """Up to seven ones pad a string; eight, or any zero, do not (section 5.2)."""
    text = b"0" * size  # five bits each
    bits = "00000" * size
    padded = bits + "1" * (-len(bits) % 8)
    assert huffman_decode(int("0" + padded, 2).to_bytes(len(padded) // 8, "big")) == text
    with pytest.raises(BadBlock):
        huffman_decode(int("0" + padded + "1" * 8, 2).to_bytes(len(padded) // 8 + 1, "big"))


@pytest.mark.parametrize(
    ("value", "bits", "encoded"), [(10, 5, "0a"), (1337, 5, "1f9a0a"), (42, 8, "2a"), (31, 5, "1f00")]
)
def test_integers(value: int, bits: int, encoded: str) -> None:
    """As in the RFC's examples (appendix C.1)."""
    assert encode_integer(value, bits).hex() == encoded


def test_the_version_tells_when_blocks_change_their_meaning() -> None:
    """It counts insertions and size updates, and nothing else."""
    reading = decoder()
    reading.decode(bytes.fromhex("828684"))
    reading.decode(bytes.fromhex("100870617373776f726406736563726574"))
    assert reading.version == 0
    reading.decode(bytes.fromhex("400161" + "0162"))
    reading.decode(b"\x20")

    assert reading.version == 2


def test_secrets_are_never_indexed() -> None:
    """Nor by any later hop (section 7.1.3)."""
    for name in (b"authorization", b"cookie", b"set-cookie", b"proxy-authorization"):
        assert encode_field((name, b"x"))[0] & 0xF0 == 0x10
    assert encode_field((b"server", b"x"))[0] & 0xF0 == 0x00
    assert encode_field((b":status", b"200")) == b"\x88"


# --- bounds (S-908) ---


def literal(name: bytes, value: bytes, kind: int = 0x00) -> bytes:
    return bytes((kind,)) + encode_length(len(name)) + name + encode_length(len(value)) + value


def test_a_list_may_count_64_kib() -> None:
    """32 for each field included; a byte more is too much, but the table stays right."""  # S-908
    value = b"v" * (65536 - 32 - 1)
    assert decoder().decode(literal(b"n", value)) == [(b"n", value)]

    reading = decoder()
    with pytest.raises(ListTooLarge) as error:
        reading.decode(literal(b"n", value + b"v") + literal(b"a", b"b", 0x40))
    assert error.value.whole
    assert reading.decode(b"\xbe") == [(b"a", b"b")]


def test_references_count_like_what_they_refer_to() -> None:
    """Sixteen references to one entry of 4 KiB are 64 KiB; more of them are not even looked at."""  # S-908
    reading = decoder()
    size = 4096 - 32 - 1
    reading.decode(literal(b"n", b"v" * size, 0x40))
    assert len(reading.decode(b"\xbe" * 16)) == 16
    assert reading.list_size == 65536
    with pytest.raises(ListTooLarge) as error:
        reading.decode(b"\xbe" * 32)
    assert error.value.whole
    with pytest.raises(ListTooLarge) as error:
        reading.decode(b"\xbe" * 33)
    assert not error.value.whole


def test_lengths_are_checked_before_anything_is_taken() -> None:
    """A string that claims megabytes costs nothing; nor does a table of megabytes."""  # S-908
    for block in ("007fe1ffff7f", "0001617fe1ffff7f", "0001617f80808040", "3fe1ffff7f"):
        with pytest.raises(BadBlock):
            decoder().decode(bytes.fromhex(block))


def test_a_field_larger_than_the_table_empties_it() -> None:
    """It is passed on all the same (section 4.4)."""
    reading = decoder()
    reading.decode(literal(b"a", b"b", 0x40))
    large = b"v" * 4096
    assert reading.decode(literal(b"n", large, 0x40)) == [(b"n", large)]
    with pytest.raises(BadBlock):
        reading.decode(b"\xbe")


def test_a_huffman_string_grows_by_eight_fifths_at_most() -> None:
    """The most that a compressed byte can become is bounded by the code itself."""  # S-908
    assert len(huffman_decode(b"\x00" * 1000 + b"")) == 1600
