"""The outpost: may this request pass, and as whom?

A request comes in at ``answer.py``, a dialect reads it, ``judge.py`` decides, and ``login.py``, ``callback.py`` and
``sign_out.py`` are the three endpoints that a browser visits. What the outpost needs from elsewhere is declared in
``ports.py``.
"""

from doorward.outpost.answer import Outpost

__all__ = ["Outpost"]
