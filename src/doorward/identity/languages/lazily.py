"""Texts of tables and forms, which are made before it is known who reads them.

Django's lazy texts are no ``str`` to a type checker, though they stand wherever one may: in a template, a form, a
sentence. Said here once, so that the tables need not say it.
"""

from __future__ import annotations

from typing import cast

from django.utils.translation import gettext_lazy as _promised


def gettext_lazy(text: str) -> str:
    """``text`` in the language of whoever reads it. Turn it into a ``str`` before it leaves as JSON."""
    return cast(str, _promised(text))
