"""What people from elsewhere need costs nobody memory who has none of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_LOOK = """
import sys
import django
django.setup()
from django.urls import get_resolver
from doorward.identity.chores.book import chores
_ = get_resolver().url_patterns, chores()
print(sorted({name.partition(".")[0] for name in sys.modules} & {"ldap3", "pyasn1", "lxml", "saml2"}))
"""


def test_the_identity_provider_starts_without_ldap_and_xml(tmp_path: Path) -> None:
    """ldap3 and lxml are imported when a directory or an identity provider is asked, and not before."""
    more = {"DOORWARD_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "doorward.identity.settings"}

    done = subprocess.run(
        [sys.executable, "-c", _LOOK], env={**os.environ, **more}, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
