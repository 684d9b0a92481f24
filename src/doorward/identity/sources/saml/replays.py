"""No message counts twice, whichever replica it comes to (S-455): a row for each until it is too old anyway."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction

from doorward.identity.sources.saml.errors import NotBelieved
from doorward.identity.sources.saml.models import SAMLSource, Seen


def require_first(source: SAMLSource, identifier: str, until: datetime) -> None:
    """Note that the message was here. Raises NotBelieved when it was before; of many at once one is the first."""
    digest = hashlib.sha256(identifier.encode()).hexdigest()
    try:
        with transaction.atomic():
            Seen.objects.create(source=source, digest=digest, until=until)
    except IntegrityError as error:
        raise NotBelieved("This message was used already.") from error
