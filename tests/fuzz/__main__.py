"""Every target in turn."""

from __future__ import annotations

import sys

from fuzz import express, first_bytes, http1, http2
from fuzz.target import main

TARGETS = (*http1.TARGETS, *http2.TARGETS, *first_bytes.TARGETS, *express.TARGETS)

if __name__ == "__main__":
    sys.exit(main(TARGETS))
