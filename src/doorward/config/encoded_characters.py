"""Which percent-escapes a path may hold: at an entry point all of them, in the middleware of that name none."""

from __future__ import annotations

from doorward.config.section import Flag, Section

ESCAPES = {
    "allow_encoded_slash": "%2F",
    "allow_encoded_back_slash": "%5C",
    "allow_encoded_null_character": "%00",
    "allow_encoded_semicolon": "%3B",
    "allow_encoded_percent": "%25",
    "allow_encoded_question_mark": "%3F",
    "allow_encoded_hash": "%23",
}


class AllowedEscapes(Section):
    """Escapes that paths may hold; one that is ``false`` is answered 400. Where protection depends on the path, escapes
    that applications take for separators are refused in any case, and ``%00`` always is."""

    allow_encoded_slash: Flag = True
    allow_encoded_back_slash: Flag = True
    allow_encoded_null_character: Flag = True
    allow_encoded_semicolon: Flag = True
    allow_encoded_percent: Flag = True
    allow_encoded_question_mark: Flag = True
    allow_encoded_hash: Flag = True

    def denied(self) -> tuple[str, ...]:
        """The escapes that are not allowed, as they stand in a canonical path."""
        return tuple(escape for name, escape in ESCAPES.items() if not getattr(self, name))


class EncodedCharacters(AllowedEscapes):
    """Refuse paths with escapes that applications read in different ways: 400."""

    allow_encoded_slash: Flag = False
    allow_encoded_back_slash: Flag = False
    allow_encoded_null_character: Flag = False
    allow_encoded_semicolon: Flag = False
    allow_encoded_percent: Flag = False
    allow_encoded_question_mark: Flag = False
    allow_encoded_hash: Flag = False
