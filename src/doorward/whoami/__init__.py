"""The demonstration application: it answers with the request it got.

Its plain and JSON answers are those of traefik/whoami, so that examples, tests and people's habits carry over.
It has no login of its own, which is the point of it.
"""

from doorward.whoami.server import Running as Running
from doorward.whoami.server import serve as serve
from doorward.whoami.server import start as start
