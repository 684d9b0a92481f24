"""Reads a request's JSON and nothing that merely resembles it (S-607, S-610).

Python's decoder is lenient where others differ, and differences are where attacks live: duplicate keys, ``NaN``,
numbers beyond a double, byte order marks, other encodings. It also recurses, so depth is judged before anybody else
walks the data; and strings that no database can hold are refused here, once, instead of in every field.
"""

from __future__ import annotations

import json
import math
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

LARGEST_BODY = 1 << 20
DEEPEST = 64
LONGEST_NUMBER = 20
"""Digits; 64-bit numbers have at most 19 and a sign."""


class TooLarge(APIException):
    status_code = 413
    default_detail = "Request body is larger than 1 MiB."
    default_code = "too_large"


class StrictJson(BaseParser):
    """Raises ParseError (400) and TooLarge (413)."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge
        return decoded(body)


def decoded(body: bytes) -> Any:
    """The data of a JSON text. Raises ParseError."""
    try:
        data = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except RecursionError as error:
        raise ParseError(f"JSON parse error - nested deeper than {DEEPEST} levels") from error
    except ValueError as error:
        raise ParseError(f"JSON parse error - {error}") from error
    _judge(data)
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("an object names a key twice")
    return data


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number is too large")
    return int(text)


def _judge(data: Any) -> None:
    """Walks without recursion. Raises ParseError for depth, NUL and lone surrogates."""
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            _judge_text(value)
        elif isinstance(value, dict | list):
            if depth > DEEPEST:
                raise ParseError(f"JSON parse error - nested deeper than {DEEPEST} levels")
            if isinstance(value, dict):
                for key in value:
                    _judge_text(key)
            inner = value.values() if isinstance(value, dict) else value
            waiting.extend((item, depth + 1) for item in inner)


def _judge_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ParseError("JSON parse error - a string holds NUL or half a surrogate pair")
