"""Twenty threads with the same one-time thing, on a database file of its own: started by ``test_races``, prints JSON.

A program of its own, because the tests' database lives in memory and a race in one connection is none.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

THREADS = 20
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def main(data: str, rounds: int) -> dict[str, list[int]]:
    """How many of twenty succeeded, in every round of each race."""
    os.environ.update(
        DOORWARD_DATA=data,
        DOORWARD_DATABASE="",
        DOORWARD_EXTERNAL_URL="https://auth.example.test",
        DJANGO_SETTINGS_MODULE="doorward.identity.settings",
    )
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    kinds = {
        "totp": _app(),
        "recovery": _paper(),
        "webauthn": _key(),
        "mailed": _letter(),
        "link": _link(),
        "invitation": _invitation(),
    }
    with ThreadPoolExecutor(THREADS) as pool:
        return {kind: [_race(pool, prepare(number)) for number in range(rounds)] for kind, prepare in kinds.items()}


def _app() -> Callable[[int], Callable[[], bool]]:
    from pyotp import TOTP

    from doorward.identity.authenticators import actions, totp
    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor

    user = create_user(Actor.system(), username="app")
    device = actions.add_totp(Actor.system(), user, name="Phone", seed=SEED, digits=6, used_step=0)

    def prepare(number: int) -> Callable[[], bool]:
        moment = time.time() + number * totp.STEP
        code = TOTP(SEED).generate_otp(int(moment // totp.STEP))
        return lambda: totp.use(device, code, moment)

    return prepare


def _paper() -> Callable[[int], Callable[[], bool]]:
    from doorward.identity.authenticators import actions, recovery_codes
    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor

    user, codes = create_user(Actor.system(), username="paper"), recovery_codes.generate(50)
    device = actions.set_recovery_codes(Actor.system(), user, codes, name="Recovery codes")
    return lambda number: lambda: recovery_codes.use(device, codes[number])


def _letter() -> Callable[[int], Callable[[], bool]]:
    from datetime import timedelta

    from django.utils import timezone

    from doorward.identity.authenticators import mailed_codes
    from doorward.identity.authenticators.models import MailedCode
    from doorward.identity.crypto import vault
    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor

    user = create_user(Actor.system(), username="letter")

    def prepare(number: int) -> Callable[[], bool]:
        place, code = f"race:{number}", f"{number:08}"
        MailedCode.objects.create(
            place=vault.digest(place),
            user=user,
            code_hash=mailed_codes.digest(place, code),
            expires=timezone.now() + timedelta(minutes=10),
        )
        return lambda: mailed_codes.use(user, place, code)

    return prepare


def _link() -> Callable[[int], Callable[[], bool]]:
    from datetime import timedelta

    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor
    from doorward.identity.mail import links

    user = create_user(Actor.system(), username="link", email="link@example.test")

    def prepare(_: int) -> Callable[[], bool]:
        url = links.make(user, "recovery", "{}", timedelta(minutes=30))
        token = url.rpartition("=")[2]
        return lambda: links.use(token, "recovery") is not None

    return prepare


def _invitation() -> Callable[[int], Callable[[], bool]]:
    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor
    from doorward.identity.flows.models import Flow
    from doorward.identity.stages import invitations

    host = create_user(Actor.system(), username="host")
    flow = Flow.objects.create(name="join", slug="join", title="Join", designation="enrollment")

    def prepare(number: int) -> Callable[[], bool]:
        invitation = invitations.invite(Actor.system(), name=f"race-{number}", single_use=True, created_by=host)

        def use() -> bool:
            try:
                invitations.use(Actor.system(), str(invitation.pk), flow)
            except invitations.Void:
                return False
            return True

        return use

    return prepare


def _key() -> Callable[[int], Callable[[], bool]]:
    import msgspec

    from doorward.identity.authenticators import actions, ceremonies, options
    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor
    from identity.authenticators.soft_key import SoftKey

    user, key = create_user(Actor.system(), username="key"), SoftKey()
    asked = options.to_create("x", user, [], rp_name="x", user_verification="required", resident_key="required")
    answer = key.create(json.loads(msgspec.json.encode(asked)))
    registered = ceremonies.registered(answer, "x", require_user_verification=True)
    actions.add_webauthn(Actor.system(), user, name="Key", registered=registered)

    def prepare(_: int) -> Callable[[], bool]:
        login = key.get(json.loads(msgspec.json.encode(options.to_get("x", [], user_verification="required"))))

        def use() -> bool:
            try:
                ceremonies.asserted(login, "x", user=user, require_user_verification=True)
            except ceremonies.NotVerified:
                return False
            return True

        return use

    return prepare


def _race(pool: ThreadPoolExecutor, use: Callable[[], bool]) -> int:
    start = Barrier(THREADS)

    def run() -> bool:
        start.wait()
        return use()

    return sum(future.result() for future in [pool.submit(run) for _ in range(THREADS)])


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
