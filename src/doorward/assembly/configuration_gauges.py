"""What the metrics say about the configuration in force: until when its certificates hold."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from doorward.messages.routing import RoutingTable


def certificate_gauges(table: RoutingTable) -> dict[str, float]:
    """By full series text."""
    gauges = {}
    for certificate in table.certificates:
        leaf = x509.load_pem_x509_certificate(certificate.chain_pem.encode("ascii"))
        series = f'cn="{_label(_common_name(leaf))}",sans="{_label(_names(leaf))}",serial="{leaf.serial_number}"'
        gauges[f"traefik_tls_certs_not_after{{{series}}}"] = leaf.not_valid_after_utc.timestamp()
    return gauges


def _common_name(leaf: x509.Certificate) -> str:
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _names(leaf: x509.Certificate) -> str:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return ",".join(sorted((*names.get_values_for_type(x509.DNSName), *addresses)))


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
