"""A response whose head was seen before means what it says, whatever was remembered (RFC 7541)."""

from __future__ import annotations

from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.http2 import ResponseReceived
from wire.http2.by_hand import END_HEADERS, END_STREAM, HEADERS, Client, frame

names = st.sampled_from(["server", "date", "x-a", "x-b", "etag"])
values = st.sampled_from(["a", "b", "nginx", "Wed, 25 Nov 2026 22:00:00 GMT", "x" * 200])
fields = st.lists(st.tuples(names, values), max_size=4)
answers = st.lists(st.tuples(st.sampled_from([b"GET", b"HEAD"]), st.sampled_from(["200", "404"]), fields), max_size=30)


@given(answers)
def test_every_head_means_what_it_says(asked: list[tuple[bytes, str, list[tuple[str, str]]]]) -> None:
    """An encoder that uses its table says the same with other bytes, and other things with the same bytes."""
    client, encoder = Client(), Encoder()
    for method, status, said in asked:
        stream = client.ask(method)
        block = encoder.encode([(":status", status), *said])

        (event,) = client.hear(frame(HEADERS, END_HEADERS | END_STREAM, stream, block))

        assert isinstance(event, ResponseReceived)
        assert event.head.status == int(status)
        assert event.head.headers == tuple((name.encode(), value.encode()) for name, value in said)
        assert event.head.stated_length == (None if method == b"HEAD" else 0)
