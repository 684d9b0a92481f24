"""What is done about the machine beside."""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.chores.book import Chore
from doorward.identity.system.clock import watch

CHORES = (Chore("system.clock", timedelta(minutes=1), watch.tell, needed=watch.jumped),)
