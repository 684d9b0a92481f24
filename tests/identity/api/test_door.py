"""The API costs nothing until somebody asks it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, django
django.setup()
from django.urls import reverse
import doorward.identity.urls
reverse("flow-cancel")
print(*sorted(name for name in sys.modules if name.startswith(("rest_framework.views", "drf_spectacular.openapi"))))
"""


def test_the_framework_is_not_loaded_at_start() -> None:
    """Neither by the map of pages nor by the first link that a page makes."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
