"""How often letters are sent that somebody asks for: five per account and thirty per client's address in five minutes.

Links, which strangers can ask for, and codes, for which one must have proved a password, are counted apart: nobody
keeps a user from their codes by forgetting a password on their behalf (S-509).
"""

from __future__ import annotations

from doorward.identity.directory.throttle import Throttle

throttle = Throttle()
