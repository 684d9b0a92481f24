"""A clock that jumps is on the record: logins that suddenly ended have a reason."""

from __future__ import annotations

import pytest

from doorward.identity.events.models import Event
from doorward.identity.system.clock import Watch

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("jump", "told"), [(-3600.0, "back by 3600 seconds"), (86400.0, "ahead by 86400 seconds"), (30.0, "")]
)
def test_a_jump_is_told_once(jump: float, told: str) -> None:
    """An hour back, a day ahead; what time services correct all the time is nothing."""  # S-812
    wall, steady = [1_000_000.0], [50.0]
    watch = Watch(lambda: wall[0], lambda: steady[0])
    wall[0], steady[0] = wall[0] + 600, steady[0] + 600
    assert not watch.jumped()
    wall[0] += jump
    assert watch.jumped() is bool(told)
    if told:
        watch.tell()
        assert told in Event.objects.get(action="configuration_warning").context["message"]
        assert not watch.jumped()
