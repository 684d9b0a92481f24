"""How a person and a group of a directory are read: which search finds them, and what is taken from an entry."""

from __future__ import annotations

import uuid

from doorward.identity.expressions.values import Value
from doorward.identity.sources import mapping
from doorward.identity.sources.arrival import Arrival, UpstreamGroup
from doorward.identity.sources.ldap.entries import Entry, escaped
from doorward.identity.sources.ldap.models import LDAPSource

_NAMES = ("uid", "sAMAccountName", "userPrincipalName", "cn")
_DN = {"dn", "distinguishedname"}
_DISABLED = 2
"""ACCOUNTDISABLE of Active Directory's ``userAccountControl``."""


def attributes_of(source: LDAPSource) -> list[str]:
    """What is asked for: all that the entry holds, and the operational ones that the source names."""
    named = {
        source.object_uniqueness_field,
        source.user_membership_attribute,
        source.group_membership_field,
        "memberOf",
    }
    return ["*", *sorted(name for name in named if name.casefold() not in _DN)]


def identifier_of(source: LDAPSource, entry: Entry) -> str:
    """What the directory never gives to another; empty when the entry has none."""
    return value_of(entry, source.object_uniqueness_field)


def value_of(entry: Entry, attribute: str) -> str:
    """One value; the entry's name is one as well, in directories that do not keep it as an attribute."""
    return entry.first(attribute) or (entry.dn if attribute.casefold() in _DN else "")


def one(source: LDAPSource, identifier: str) -> str:
    """The filter that finds one user by their identifier, if they are one of the users at all."""
    attribute, value = source.object_uniqueness_field, escaped(identifier)
    if attribute.casefold() == "objectguid":
        try:
            value = "".join(f"\\{byte:02x}" for byte in uuid.UUID(identifier).bytes_le)
        except ValueError:
            value = ""
    return f"(&{source.user_object_filter}({attribute}={value}))"


def is_disabled(entry: Entry) -> bool:
    """The directory itself lets them in nowhere (Active Directory, 389 Directory Server, FreeIPA)."""
    control = entry.first("userAccountControl")
    locked = entry.first("nsAccountLock")
    return (control.isdecimal() and int(control) & _DISABLED != 0) or locked.casefold() == "true"


def arrival_of(source: LDAPSource, entry: Entry) -> Arrival:
    """A user of the directory. Raises mapping.MappingFailed."""
    base = {
        "username": next((name for attribute in _NAMES if (name := entry.first(attribute))), ""),
        "name": entry.first("displayName") or entry.first("name") or entry.first("cn"),
        "email": entry.first("mail"),
        "attributes": {"distinguishedName": entry.dn},
    }
    identifier = identifier_of(source, entry)
    if not identifier:
        raise mapping.MappingFailed(f"{entry.dn} has no {source.object_uniqueness_field}.")
    # Groups follow when all of them have been read.
    base["attributes"] = {"distinguishedName": entry.dn, "ldap_uniq": identifier}
    return mapping.arrival(source, identifier, base, _names(entry), email_verified=True)


def group_of(source: LDAPSource, entry: Entry) -> UpstreamGroup:
    """A group of the directory. Raises mapping.MappingFailed."""
    identifier = identifier_of(source, entry)
    if not identifier:
        raise mapping.MappingFailed(f"{entry.dn} has no {source.object_uniqueness_field}.")
    base = {
        "name": entry.first("cn") or entry.first("name"),
        "attributes": {"distinguishedName": entry.dn, "ldap_uniq": identifier},
    }
    return mapping.group(source, identifier, base, _names(entry))


def _names(entry: Entry) -> dict[str, Value]:
    """What expressions know it by."""
    return {"ldap": entry.plain(), "data": entry.plain(), "dn": entry.dn}
