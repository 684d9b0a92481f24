"""XML as SAML needs it: small, without document types, read by names with their namespaces.

The one module, with ``signature`` and ``encryption``, that knows lxml; imported on use only.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from doorward.identity.sources.saml.errors import NotBelieved

LARGEST = 256 * 1024
"""Bytes of a message."""

ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"
PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
ENCRYPTION = "{http://www.w3.org/2001/04/xmlenc#}"

Element = Any
"""An element of lxml, whose types are not published with it."""
attribute = quoteattr
"""A value with its quotes, for what we write ourselves."""


def parse(raw: bytes) -> Element:
    """The root element. Raises NotBelieved for what is too large, no XML, or has a document type."""
    if len(raw) > LARGEST:
        raise NotBelieved("The message is too large.")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotBelieved("The message is no XML.") from error
    # Entities can be declared in a document type only; billions of laughs and files of this machine with them.
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None or tree.docinfo.externalDTD is not None or tree.docinfo.doctype:
        raise NotBelieved("The message has a document type.")
    return root


def parse_within(raw: bytes, place: Element) -> Element:
    """An element that was written to stand at ``place``, where prefixes have a meaning. Raises NotBelieved."""
    prefixes = "".join(
        f" xmlns{f':{prefix}' if prefix else ''}={attribute(uri)}" for prefix, uri in place.nsmap.items()
    )
    around = parse(f"<around{prefixes}>".encode() + raw + b"</around>")
    if len(around) != 1 or not isinstance(around[0].tag, str):
        raise NotBelieved("What is encrypted is not one element.")
    return around[0]


def canonical(element: Element, prefixes: list[str] | None = None) -> bytes:
    """The element's exclusive canonical form, without comments. Raises NotBelieved where it has none."""
    try:
        written: bytes = etree.tostring(
            element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes
        )
    except (etree.LxmlError, ValueError) as error:
        raise NotBelieved("The message has no canonical form.") from error
    return written


def only(parent: Element, name: str) -> Element:
    """The one child of this name. Raises NotBelieved when there is none, or another."""
    found = parent.findall(name)
    if len(found) != 1:
        raise NotBelieved(f"{len(found)} times {plain(name)} where one belongs.")
    return found[0]


def text(element: Element) -> str:
    """What stands in an element that holds text alone, whole: comments neither cut nor hide anything."""
    if any(isinstance(child.tag, str) for child in element):
        raise NotBelieved(f"There is more than text in {plain(element.tag)}.")
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def plain(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
