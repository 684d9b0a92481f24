"""The identity provider that these tests ask."""

from __future__ import annotations

import pytest

from doorward.identity.sources.saml.messages import Ourselves, metadata
from peers.saml_provider import SamlProvider, pair

BASE = "https://auth.example.test/source/saml/upstream/"
US = Ourselves(f"{BASE}metadata/", f"{BASE}acs/", f"{BASE}slo/", f"{BASE}metadata/")


@pytest.fixture(scope="session")
def our_key() -> tuple[str, str]:
    """A private key of ours, and its certificate."""
    return pair()


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory, our_key: tuple[str, str]) -> SamlProvider:
    der = "".join(our_key[1].split("-----")[2].split())
    about_us = metadata(US, name_id_policy="", signing_der=der, encryption_der="", with_logout=True)
    return SamlProvider(tmp_path_factory.mktemp("idp"), about_us.decode())
