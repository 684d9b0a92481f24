"""The chain of events: each link names an event, and its MAC covers the link before.

    link n:  number, event, the event's proof, when it may go, when it was sealed, MAC(all of these, MAC of link n-1)

So no event can be taken out, put in or moved without every later MAC being wrong, and none of them can be made without
``secret.key``. Links are not made while somebody waits: an event is written with its own proof, without a lock, and a
chore appends what is new to the chain once a minute (``sealing``).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from doorward.identity.events import proofs
from doorward.identity.events.models import Chain, Link

ADOPTED_FOR = timedelta(hours=1)
"""After the chain was begun: so long a former version may still run beside, and write events without a proof."""
Place = tuple[int, str]
"""A link's number and MAC."""


def link_mac(link: Link, before: str) -> str:
    """What the link's MAC has to be."""
    text = (str(link.number), link.event.hex, link.proof, proofs.time(link.expires), proofs.time(link.sealed), before)
    return proofs.mac(b"link", *(part.encode() for part in text), number=link.number)


def chain_proof(number: int, mac: str, begun: datetime) -> str:
    """What the proof of the chain's beginning has to be."""
    return _chain_proof(number, mac, begun, None)


def _chain_proof(number: int, mac: str, begun: datetime, with_key_of: int | None) -> str:
    return proofs.mac(b"chain", str(number).encode(), mac.encode(), proofs.time(begun).encode(), number=with_key_of)


def beginning() -> Chain:
    """The row about the chain; it is made when there is none."""
    found = Chain.objects.filter(pk=1).first()
    if found is not None:
        return found
    begun = timezone.now()
    made, _ = Chain.objects.get_or_create(pk=1, defaults={"begun": begun, "proof": chain_proof(0, "", begun)})
    return made


def is_genuine(chain: Chain) -> bool:
    """Whether we wrote the row; with the former key, only while keys are being exchanged."""
    if proofs.same(chain.proof, chain_proof(chain.number, chain.mac, chain.begun)):
        return True
    keys = settings.INSTALLATION_KEYS
    last = max((kept.until for kept in keys.kept_for(proofs.PURPOSE)), default=0)
    former = _chain_proof(chain.number, chain.mac, chain.begun, last)
    return bool(keys.old) and proofs.same(chain.proof, former)


def renew_proof() -> None:
    """Prove the beginning with the key of now, if it was with the former one; what was tampered with stays so."""
    begun = beginning()
    if is_genuine(begun):
        fresh = chain_proof(begun.number, begun.mac, begun.begun)
        Chain.objects.filter(pk=begun.pk, proof=begun.proof).update(proof=fresh)


def head(chain: Chain) -> Place:
    """The newest link, or where the chain begins if there is none."""
    newest = Link.objects.order_by("-number").values_list("number", "mac").first()
    return newest or (chain.number, chain.mac)


def adopts(chain: Chain, now: datetime) -> bool:
    """Whether events without a proof are still taken for ones that a former version wrote."""
    return now < chain.begun + ADOPTED_FOR
