"""Where the endpoints of a client are. All URLs come from the one configured external URL, never from a request:
whoever chooses the Host header must not choose the issuer (S-445)."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from doorward.identity.oauth2.models import OAuth2Provider


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Absolute URLs of one client's issuer."""

    issuer: str
    authorization: str
    token: str
    userinfo: str
    end_session: str
    introspection: str
    revocation: str
    jwks: str
    device_authorization: str
    pushed_authorization: str
    registration: str


def issuer_of(provider: OAuth2Provider) -> str:
    """The ``iss`` of this provider's tokens. Raises Application.DoesNotExist for a provider without application."""
    if provider.issuer_mode == OAuth2Provider.IssuerMode.GLOBAL:
        return f"{settings.EXTERNAL_URL}/"
    return f"{_base()}{provider.application.slug}/"


def endpoints_of(provider: OAuth2Provider) -> Endpoints:
    """Raises Application.DoesNotExist for a provider without application."""
    base = _base()
    own = f"{base}{provider.application.slug}/"
    return Endpoints(
        issuer=issuer_of(provider),
        authorization=f"{base}authorize/",
        token=f"{base}token/",
        userinfo=f"{base}userinfo/",
        end_session=f"{own}end-session/",
        introspection=f"{base}introspect/",
        revocation=f"{base}revoke/",
        jwks=f"{own}jwks/",
        device_authorization=f"{base}device/",
        pushed_authorization=f"{base}par/",
        registration=f"{base}register/",
    )


def absolute(path: str) -> str:
    """A path of ours as others have to ask for it."""
    return f"{settings.EXTERNAL_URL}{path}"


def _base() -> str:
    return f"{settings.EXTERNAL_URL}/application/o/"
