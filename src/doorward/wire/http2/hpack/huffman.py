"""Huffman-coded strings to bytes (RFC 7541 section 5.2 and appendix B), one table access per byte.

The code is canonical: codes of one length follow each other in the order of their symbols, so the lengths alone say
what every code is. Its tree has 256 inner nodes. A reader that stands at one of them and takes eight bits ends at
another and has passed some leaves on its way: that is worked out when it happens for the first time and remembered,
because real strings use a small part of the 65,536 combinations.
"""

from __future__ import annotations

from doorward.wire.http2.hpack.errors import BadBlock

# fmt: off
CODE_LENGTHS = (
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6,
    12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5,
    6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22,
    22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21,
    20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22,
    23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26,
    28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27,
    28, 27, 27, 27, 27, 27, 26, 30,
)
# fmt: on
"""Bits of the code of each byte, and of the end-of-string symbol, which is the last."""

END_OF_STRING = 256


def code_table() -> list[int]:
    """The code of each symbol, as a number of ``CODE_LENGTHS`` bits."""
    codes = [0] * len(CODE_LENGTHS)
    code, length = 0, 0
    for symbol in sorted(range(len(CODE_LENGTHS)), key=lambda symbol: (CODE_LENGTHS[symbol], symbol)):
        code <<= CODE_LENGTHS[symbol] - length
        length = CODE_LENGTHS[symbol]
        codes[symbol] = code
        code += 1
    return codes


class _Node(dict[int, "tuple[_Node, bytes]"]):
    """An inner node: what the next byte leads to, as far as that has been asked for."""

    __slots__ = ("branches", "may_end")

    def __init__(self) -> None:
        super().__init__()
        self.branches: list[_Node | int | None] = [None, None]
        """By the next bit: another node, or the symbol of a leaf."""
        self.may_end = False
        """A string may end here: what led here since the last symbol is at most seven ones (padding)."""

    def __missing__(self, byte: int) -> tuple[_Node, bytes]:
        node, symbols = self, bytearray()
        for shift in range(7, -1, -1):
            branch = node.branches[byte >> shift & 1]
            if isinstance(branch, _Node):
                node = branch
            elif branch is None or branch == END_OF_STRING:
                # Section 5.2: a string that holds the end-of-string symbol is an error. Nothing leads away from here.
                node = _DEAD
                break
            else:
                symbols.append(branch)
                node = _ROOT
        step = self[byte] = node, bytes(symbols)
        return step


_DEAD = _Node()
_ROOT = _Node()


def _grow_tree() -> None:
    for symbol, code in enumerate(code_table()):
        node = _ROOT
        for shift in range(CODE_LENGTHS[symbol] - 1, 0, -1):
            bit = code >> shift & 1
            branch = node.branches[bit]
            if not isinstance(branch, _Node):
                branch = node.branches[bit] = _Node()
            node = branch
        node.branches[code & 1] = symbol
    node = _ROOT
    for _ in range(8):
        node.may_end = True
        following = node.branches[1]
        assert isinstance(following, _Node)
        node = following


_grow_tree()


def huffman_decode(data: bytes) -> bytes:
    """The string that ``data`` stands for: at most 8/5 of its length. Raises BadBlock."""
    node = _ROOT
    pieces = []
    for byte in data:
        node, piece = node[byte]
        pieces.append(piece)
    if not node.may_end:
        raise BadBlock("huffman")
    return b"".join(pieces)
