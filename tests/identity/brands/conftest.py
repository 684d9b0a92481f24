"""An administrator at their browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from doorward.identity.directory.models import User
    from identity.web.visitor import Visitor


@pytest.fixture
def admin(flows: None, akadmin: User, password: str) -> Visitor:
    """akadmin, logged in."""
    from identity.web.visitor import Visitor

    return Visitor("akadmin", password)
