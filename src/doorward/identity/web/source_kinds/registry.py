"""The table of kinds of sources, in the order in which they are offered. A new kind is one file and one line here."""

from __future__ import annotations

from doorward.identity.sources.models import Source
from doorward.identity.web.source_kinds.directories import DirectoryKind
from doorward.identity.web.source_kinds.kind import BrowserKind, SourceKind
from doorward.identity.web.source_kinds.oauth import OAuthKind
from doorward.identity.web.source_kinds.saml import SAMLKind

KINDS: dict[str, SourceKind] = {kind.kind: kind for kind in (OAuthKind(), SAMLKind(), DirectoryKind())}


def kind_of(source: Source) -> SourceKind:
    return KINDS[source.kind]


def browser_kind(name: str) -> BrowserKind | None:
    """None for a kind that does not exist, or has pages of its own."""
    found = KINDS.get(name)
    return found if isinstance(found, BrowserKind) else None
