"""``passTLSClientCert``: what an application is told about the certificate of its client."""

from __future__ import annotations

from doorward.config.section import Flag, Section


class CertificateIssuer(Section):
    """Parts of the name of whoever signed the certificate."""

    country: Flag = False
    province: Flag = False
    locality: Flag = False
    organization: Flag = False
    common_name: Flag = False
    serial_number: Flag = False
    domain_component: Flag = False


class CertificateSubject(CertificateIssuer):
    """Parts of the client's name."""

    organizational_unit: Flag = False


class CertificateInfo(Section):
    """What ``X-Forwarded-Tls-Client-Cert-Info`` holds."""

    not_after: Flag = False
    not_before: Flag = False
    sans: Flag = False
    serial_number: Flag = False
    subject: CertificateSubject | None = None
    issuer: CertificateIssuer | None = None


class PassTlsClientCert(Section):
    """Tell the application about the client's certificate."""

    pem: Flag = False
    """The certificate itself in ``X-Forwarded-Tls-Client-Cert``: PEM on one line, without its frame."""
    info: CertificateInfo | None = None
