"""Cipher suites by the names that Traefik's files use (those of the standard), and by OpenSSL's.

What no current OpenSSL builds any more (RC4, 3DES, NULL) is not here, and so is an error.
"""

from __future__ import annotations

from doorward.config.problems import nearest

TLS_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""Always on where TLS 1.3 is: naming them changes nothing, as in Traefik."""

TLS_1_2 = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA256": "AES128-SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
}

_STANDARD = {theirs: name for name, theirs in reversed(TLS_1_2.items())}


def standard_name(name: str) -> str:
    """What OpenSSL calls ``name``, as the standard and Traefik's metrics call it."""
    return _STANDARD.get(name, name)


WITHOUT_FORWARD_SECRECY = frozenset(name for name in TLS_1_2 if name.startswith("TLS_RSA_"))
"""Whoever gets the key later can read what was recorded before."""


def known_suites(names: tuple[str, ...]) -> tuple[str, ...]:
    """``names``, when all of them are known. Raises ValueError."""
    for name in names:
        if name not in TLS_1_2 and name not in TLS_1_3:
            hint = nearest(name, (*TLS_1_2, *TLS_1_3))
            raise ValueError(f"names the unknown or unsafe cipher suite {name!r}" + (f"; {hint}" if hint else ""))
    return names


def openssl_list(names: tuple[str, ...]) -> str:
    """The suites of TLS 1.2 among ``names`` in OpenSSL's notation."""
    return ":".join(dict.fromkeys(TLS_1_2[name] for name in names if name in TLS_1_2))
