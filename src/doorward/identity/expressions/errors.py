"""What can be wrong with an expression."""

from __future__ import annotations


class ExpressionInvalid(ValueError):
    """The text is not in the language; found when it is saved."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason}")
        self.line = line
        """Counted from 1."""
        self.reason = reason


class ExpressionFailed(Exception):
    """It went wrong, or beyond its budget, while it ran."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"Line {line}: {reason}" if line else reason)
        self.line = line
        """0 where it is not known."""
        self.reason = reason
