"""How passwords are hashed: Argon2id with OWASP's minimum, 19 MiB, 2 passes, 1 lane (security.md section 3).

Django's own setting (100 MiB, 8 lanes) costs ten times the memory for each login at once.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    time_cost = 2
    memory_cost = 19 * 1024
    """KiB."""
    parallelism = 1
