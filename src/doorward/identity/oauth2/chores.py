"""What this room does at intervals."""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.chores.book import Chore
from doorward.identity.oauth2 import logout_delivery
from doorward.identity.oauth2.session_clients import CHORE

CHORES = (Chore(CHORE, timedelta(seconds=30), logout_delivery.deliver, needed=logout_delivery.is_due),)
