"""From what a source says to properties of a user or a group, by the source's expressions.

Each kind of source begins with properties of its own; its mappings are run one after the other, see those so far as
``properties``, and add what they return. An expression that fails stops the arrival: a half-mapped user could be
somebody else. What nobody may say from outside (``is_superuser``, type, keys of the program's own) is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from doorward.identity.directory import names
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.values import Value
from doorward.identity.oauth2.person import merged_deeply
from doorward.identity.policies.asked import NOTHING_KNOWN, Asked
from doorward.identity.policies.expressions import evaluate
from doorward.identity.sources.arrival import Arrival, UpstreamGroup
from doorward.identity.sources.models import Source, SourceMapping

Properties = Mapping[str, object]
LONGEST_IDENTIFIER = 1024
MOST_GROUPS = 1000


class MappingFailed(Exception):
    """What the source says cannot be read; the text says why, for administrators."""


def arrival(
    source: Source,
    identifier: str,
    base: Properties,
    names: Mapping[str, Value],
    *,
    email_verified: bool = False,
    asked: Asked = NOTHING_KNOWN,
) -> Arrival:
    """Somebody from ``source``. Raises MappingFailed.

    ``base``: username, name, email, attributes, and groups (a list of identifiers) where the source knows them.
    ``names``: what expressions find, as plain data (``info`` …).
    """
    if not identifier or len(identifier) > LONGEST_IDENTIFIER:
        raise MappingFailed("The source names nobody: its answer has no usable identifier.")
    said = mapped(source, source.user_property_mappings.all(), base, names, asked)
    email = _email(said.get("email"))
    attributes = said.get("attributes")
    return Arrival(
        source=str(source.pk),
        slug=source.slug,
        identifier=identifier,
        username=_text(said.get("username"))[:150],
        name=_text(said.get("name"))[:500],
        email=email,
        # A mapping may choose another address; what the source has proven is the one that it named itself.
        email_verified=email_verified and bool(email) and email == _email(base.get("email")),
        attributes=_attributes(attributes),
        groups=_groups(source, said.get("groups"), names, asked),
    )


def mapped(
    source: Source,
    mappings: Iterable[SourceMapping],
    base: Properties,
    names: Mapping[str, Value],
    asked: Asked = NOTHING_KNOWN,
) -> dict[str, object]:
    """``base`` with what the expressions return over it. Raises MappingFailed, after an event."""
    properties = dict(base)
    about = {"name": source.name, "slug": source.slug}
    for mapping in mappings:
        try:
            said = evaluate(
                mapping.expression, AnonymousUser(), asked, more={**names, "source": about, "properties": properties}
            ).value
            if said is not None and not isinstance(said, dict):
                raise ExpressionFailed("it has to return a dict of properties")
        except ExpressionFailed as failed:
            events.record(
                "property_mapping_exception",
                "authentik.core",
                Actor.system(),
                mapping=mapping.name,
                source=source,
                error=str(failed),
            )
            raise MappingFailed(f"The mapping “{mapping.name}” failed: {failed}") from failed
        properties = _over(properties, said or {})
    return properties


def _over(properties: dict[str, object], said: dict[str, object]) -> dict[str, object]:
    """Attributes are merged; a list of groups replaces the one before."""
    merged = {**properties, **said}
    if isinstance(properties.get("attributes"), dict) and isinstance(said.get("attributes"), dict):
        before = properties["attributes"]
        assert isinstance(before, dict)
        merged["attributes"] = merged_deeply(before, said["attributes"])
    return merged


def _groups(source: Source, said: object, names: Mapping[str, Value], asked: Asked) -> tuple[UpstreamGroup, ...] | None:
    if said is None:
        return None
    identifiers = [said] if isinstance(said, str) else said if isinstance(said, list | tuple) else []
    texts = dict.fromkeys(str(each) for each in identifiers if isinstance(each, str | int) and str(each).strip())
    if len(texts) > MOST_GROUPS:
        raise MappingFailed(f"The source names more than {MOST_GROUPS} groups.")
    mappings = list(source.group_property_mappings.all())
    return tuple(group(source, text, {"name": text}, names, mappings, asked) for text in texts)


def group(
    source: Source,
    identifier: str,
    base: Properties,
    names: Mapping[str, Value],
    mappings: Iterable[SourceMapping] | None = None,
    asked: Asked = NOTHING_KNOWN,
) -> UpstreamGroup:
    """A group of ``source``; expressions know it as ``group_id``. Raises MappingFailed."""
    if mappings is None:
        mappings = source.group_property_mappings.all()
    said = mapped(source, mappings, base, {**names, "group_id": identifier}, asked)
    name = _text(said.get("name")) or identifier
    return UpstreamGroup(identifier[:LONGEST_IDENTIFIER], name[:255], _attributes(said.get("attributes")))


def _text(value: object) -> str:
    """One line of printable text."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "".join(each for each in text if each.isprintable()).strip()


def _email(value: object) -> str:
    """An address that is one: no second ``@``, nothing quoted (S-450); empty otherwise."""
    text = _text(value)
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text if text.count("@") == 1 and '"' not in text and len(text) <= 254 else ""


def _attributes(value: object) -> dict[str, object]:
    """Without the keys that mean something to the program itself."""
    if not isinstance(value, dict):
        return {}
    kept = {str(key): each for key, each in value.items() if each is not None and not _is_own(str(key))}
    try:
        names.require_storable(kept, "attributes")
    except ValidationError as error:
        raise MappingFailed(" ".join(error.messages)) from error
    return kept


def _is_own(key: str) -> bool:
    return key.startswith("goauthentik")
