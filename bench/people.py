"""Fills a running program with people who can log in: ``python people.py NUMBER``, one line of JSON.

The facts that Django needs are in the environment. All have the same password, hashed once; a third of them have an
authenticator app as well, and a third a passkey. The answer names their seeds and keys, and says how long one hash
takes.
"""

from __future__ import annotations

import json
import sys
import time

from doorward.identity.bootstrap import set_up_django

PASSWORD = "correct-horse-battery-9"
_HASHES = 5


def main(number: int) -> None:
    set_up_django()
    from django.contrib.auth.hashers import make_password, verify_password

    from doorward.identity.authenticators import relying_party, totp
    from doorward.identity.authenticators.actions import add_totp
    from doorward.identity.authenticators.challenges import encode
    from doorward.identity.directory.actions import create_user
    from doorward.identity.directory.models import User
    from doorward.identity.events.actor import Actor
    from identity.authenticators.soft_key import SoftKey
    from identity.factors import give_key

    encoded, seeds, keys = make_password(PASSWORD), {}, {}
    for each in range(number):
        for name in (f"person{each}", f"careful{each}", f"keyed{each}"):
            user = create_user(Actor.system(), username=name, name=name.title())
            if name.startswith("careful"):
                seeds[name] = totp.new_seed()
                add_totp(Actor.system(), user, name="App", seed=seeds[name], digits=6, used_step=0)
            if name.startswith("keyed"):
                key = SoftKey(origin=relying_party.origin(), rp_id=relying_party.rp_id())
                give_key(user, key)
                secret = key.key.private_numbers().private_value
                keys[name] = {"credential": encode(key.credential_id), "handle": key.handle, "secret": hex(secret)}
    User.objects.filter(username__regex=r"^(person|careful)\d+$").update(password=encoded)
    begun = time.process_time()
    for _ in range(_HASHES):
        assert verify_password(PASSWORD, encoded)[0]
    hash_ms = (time.process_time() - begun) / _HASHES * 1e3
    print(json.dumps({"seeds": seeds, "keys": keys, "hash_ms": hash_ms}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
