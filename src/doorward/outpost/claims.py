"""What an issuer that is not a Doorward says about a person, read the way the configuration says.

A claim is looked up by its name as it stands; where there is none, dots lead into objects, so that both
``https://example.com/groups`` and ``realm_access.roles`` can be named. Nothing is converted that could pass for
something else: a group is a text, an object is nobody's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorward.messages.outposts import Admission, ClaimHeader, ForeignIssuer
from doorward.messages.sessions import Claims
from doorward.outpost.identity_headers import is_sayable
from doorward.tokens.refused import TokenRefused

MAX_GROUPS = 1000


class NotAdmitted(Exception):
    """The issuer knows the person, and the configuration does not let them in; the message says why, for them."""


def claim(claims: Mapping[str, Any], name: str) -> object:
    """The value of a claim; None when it is not there."""
    if name in claims:
        return claims[name]
    value: object = claims
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def wanted(issuer: ForeignIssuer) -> list[tuple[str, ...]]:
    """Names of the claims that decide or are passed on; of each group of names one is enough."""
    names: list[tuple[str, ...]] = [issuer.username_claims, (issuer.email_claim,), (issuer.name_claim,)]
    if issuer.admission.groups or any(each.claim == "@groups" for each in issuer.headers) or issuer.authentik_headers:
        names.append((issuer.groups_claim,))
    names += [(each.name,) for each in issuer.admission.claims]
    names += [(each.claim,) for each in issuer.headers if not each.claim.startswith("@")]
    return names


def is_complete(claims: Mapping[str, Any], issuer: ForeignIssuer) -> bool:
    """Whether everything that is wanted is there: the first choice of a user name, and all the rest."""
    return all(claim(claims, names[0]) is not None for names in wanted(issuer))


def read(claims: Mapping[str, Any], issuer: ForeignIssuer) -> Claims:
    """What is kept. Raises TokenRefused when the claims name nobody that can be told on."""
    subject = claims["sub"]
    username = next((text for name in issuer.username_claims if (text := _text(claim(claims, name)))), "")
    if not is_sayable(subject) or not is_sayable(username) or not username:
        raise TokenRefused(issuer.username_claims[0], "is missing or holds a control character")
    return Claims(
        sub=subject,
        sid=_text(claims.get("sid")),
        preferred_username=username,
        name=_text(claim(claims, issuer.name_claim)),
        email=_text(claim(claims, issuer.email_claim)),
        groups=parts(claim(claims, issuer.groups_claim))[:MAX_GROUPS],
        headers=tuple((rule.header, _value(claims, issuer, rule, username)) for rule in issuer.headers),
    )


def admit(claims: Mapping[str, Any], issuer: ForeignIssuer) -> None:
    """Raises NotAdmitted unless the person may enter."""
    rules = issuer.admission
    if rules.groups:
        theirs = parts(claim(claims, issuer.groups_claim))
        if not set(theirs) & set(rules.groups):
            none = f"the issuer names no group ({issuer.groups_claim})" if not theirs else "you are in none of them"
            raise NotAdmitted(f"Only members of certain groups may enter, and {none}.")
    if rules.emails or rules.email_domains:
        _admit_address(claims, issuer, rules)
    for required in rules.claims:
        if not set(parts(claim(claims, required.name))) & set(required.values):
            raise NotAdmitted(f"What the issuer says about you ({required.name}) is not what is required here.")


def parts(value: object) -> tuple[str, ...]:
    """A claim as a list of texts; one text is a list of one."""
    if isinstance(value, list):
        return tuple(text for item in value if (text := _text(item)))
    text = _text(value)
    return (text,) if text else ()


def _admit_address(claims: Mapping[str, Any], issuer: ForeignIssuer, rules: Admission) -> None:
    address = _text(claim(claims, issuer.email_claim)).lower()
    name, at, domain = address.rpartition("@")
    if not at or not name or not domain or not is_sayable(address):
        raise NotAdmitted(f"The issuer says no e-mail address ({issuer.email_claim}), and only certain ones may enter.")
    if claims.get("email_verified") not in (True, "true") and not rules.unverified_email:
        # Anybody can write anybody's address into an account; only a verified one says something about its holder.
        raise NotAdmitted("The issuer does not say that it has verified your e-mail address.")
    if address not in rules.emails and not any(_is_in(domain, each) for each in rules.email_domains):
        raise NotAdmitted(f"The address {address} is not among those that may enter.")


def _is_in(domain: str, rule: str) -> bool:
    return domain.endswith(rule) if rule.startswith(".") else domain == rule


def _value(claims: Mapping[str, Any], issuer: ForeignIssuer, rule: ClaimHeader, username: str) -> str:
    """Of ``@access_token`` and ``@id_token`` nothing: they change while the session lives (``identity_headers``)."""
    if rule.claim in ("@access_token", "@id_token"):
        return ""
    value = username if rule.claim == "@username" else claim(claims, _meant(issuer, rule))
    good = [part for part in parts(value) if is_sayable(part) and (rule.separator not in part or len(parts(value)) < 2)]
    text = rule.separator.join(good)
    return f"{rule.prefix}{text}" if text else ""


def _meant(issuer: ForeignIssuer, rule: ClaimHeader) -> str:
    return issuer.groups_claim if rule.claim == "@groups" else rule.claim


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value.strip() if isinstance(value, str) else ""
