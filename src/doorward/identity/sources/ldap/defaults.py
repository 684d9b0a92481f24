"""The mappings that come with the program, for OpenLDAP and Active Directory, under the names that people know."""

from __future__ import annotations

from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.models import SourceMapping

_PREFIX = "goauthentik.io/sources/ldap/"
_SHIPPED = {
    "default-name": ("authentik default LDAP Mapping: Name", 'return {"name": ldap.get("name")}'),
    "default-mail": ("authentik default LDAP Mapping: mail", 'return {"email": ldap.get("mail")}'),
    "openldap-uid": ("authentik default OpenLDAP Mapping: uid", 'return {"username": ldap.get("uid")}'),
    "openldap-cn": ("authentik default OpenLDAP Mapping: cn", 'return {"name": ldap.get("cn")}'),
    "ms-samaccountname": (
        "authentik default Active Directory Mapping: sAMAccountName",
        'return {"username": ldap.get("sAMAccountName"), "attributes": {"sAMAccountName": ldap.get("sAMAccountName")}}',
    ),
    "ms-userprincipalname": (
        "authentik default Active Directory Mapping: userPrincipalName",
        'return {"attributes": {"upn": ldap.get("userPrincipalName")}}',
    ),
    "ms-givenname": (
        "authentik default Active Directory Mapping: givenName",
        'return {"attributes": {"givenName": ldap.get("givenName")}}',
    ),
    "ms-sn": ("authentik default Active Directory Mapping: sn", 'return {"attributes": {"sn": ldap.get("sn")}}'),
}


def ensure() -> None:
    """Make those that are not there."""
    there = set(SourceMapping.objects.filter(managed__startswith=_PREFIX).values_list("managed", flat=True))
    SourceMapping.objects.bulk_create(
        SourceMapping(kind=LDAPSource.KIND, managed=_PREFIX + key, name=name, expression=expression)
        for key, (name, expression) in _SHIPPED.items()
        if _PREFIX + key not in there
    )
