"""Whether a worker still hears of sessions that end.

Ended sessions are pushed to the workers, and a worker believes the sessions that it remembers. A control process that
hangs keeps its channel open and says nothing, so it also speaks when there is nothing to say, every ``BEAT`` seconds.
When that stays away for ``LONGEST`` seconds, a worker remembers no session any more and asks for each (section 3 of the
security contract: revocation in force).
"""

from __future__ import annotations

BEAT = 15.0
LONGEST = 60.0


class PushWatch:
    """``now`` is monotonic, in seconds."""

    def __init__(self, now: float) -> None:
        self._heard_at = now

    def heard(self, now: float) -> None:
        """The control process has said something."""
        self._heard_at = now

    def is_silent(self, now: float) -> bool:
        """Nothing was heard for too long: what is remembered about sessions may be out of date."""
        return now - self._heard_at > LONGEST
