"""The configuration in the metrics."""

from __future__ import annotations

import time
from pathlib import Path

from doorward.assembly import local_ca
from doorward.assembly.configuration_gauges import certificate_gauges
from doorward.messages.routing import Certificate, RoutingTable


def test_certificates_say_when_they_end(tmp_path: Path) -> None:
    """What an alarm about a certificate that was not renewed looks at."""
    leaf = Certificate(*local_ca.ensure(tmp_path / "ca").leaf())
    gauges = certificate_gauges(RoutingTable(certificates=(leaf,)))

    ((series, end),) = gauges.items()
    assert series.startswith("traefik_tls_certs_not_after{cn=")
    assert ',sans="' in series
    assert "localhost" in series
    assert end > time.time()
