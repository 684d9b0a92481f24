"""What a password must be like: length, kinds of characters, how hard it is to guess, and that it is not an old one.

A policy judges the prompts of the stages that name it. The policies of the flow in which users change their password
(``configure_flow`` of a password stage) hold wherever else a password is chosen: account page, administrators, API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.contrib.auth.hashers import is_password_usable
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from doorward.identity.directory import passwords
from doorward.identity.directory.models import User
from doorward.identity.directory.notices import password_chosen, password_replaced
from doorward.identity.policies.models import FormerPassword, PasswordPolicy

MOST_FORMER = 24
"""Former passwords that are compared and kept, whatever a policy says: each costs a hash."""
_JUDGED = 72
"""Characters that the estimate looks at: its time grows faster than the length, and these decide."""


def in_force() -> QuerySet[PasswordPolicy]:
    """The policies that hold wherever a password is chosen."""
    changing = PasswordPolicy.objects.filter(prompt_stages__flows__password_stages__isnull=False)
    return PasswordPolicy.objects.filter(pk__in=changing.values("pk"))


def refusals(policies: Iterable[PasswordPolicy], password: str, user: User | None) -> list[str]:
    """Why ``password`` does not do for ``user``, in sentences for whoever typed it; empty if it does. Raises Busy."""
    return list(dict.fromkeys(sentence for policy in policies for sentence in _refused_by(policy, password, user)))


def require(user: User, password: str) -> None:
    """Raise ValidationError unless every policy in force lets ``password`` pass. Raises Busy."""
    if sentences := refusals(in_force(), password, user):
        raise ValidationError({"password": sentences})


def _refused_by(policy: PasswordPolicy, password: str, user: User | None) -> list[str]:
    if policy.check_static_rules and (sentence := _static(policy, password)):
        return [policy.error_message or sentence]
    if policy.check_zxcvbn and (sentence := _guessable(policy, password, user)):
        return [policy.error_message or sentence]
    if user is not None and _was_used(user, password, policy.num_historical_passwords):
        return [_("You have had this password before. Choose one that you never had here.")]
    return []


def _static(policy: PasswordPolicy, password: str) -> str:
    if len(password) < policy.length_min:
        return _("Use at least %(shortest)s characters.") % {"shortest": policy.length_min}
    digits, upper = policy.amount_digits, policy.amount_uppercase
    lower, symbols = policy.amount_lowercase, policy.amount_symbols
    special = sum(character in policy.symbol_charset for character in password)
    counts = (
        (digits, sum(map(str.isdigit, password)), ngettext("%(n)s digit", "%(n)s digits", digits)),
        (upper, sum(map(str.isupper, password)), ngettext("%(n)s capital letter", "%(n)s capital letters", upper)),
        (lower, sum(map(str.islower, password)), ngettext("%(n)s small letter", "%(n)s small letters", lower)),
        (symbols, special, ngettext("%(n)s symbol", "%(n)s symbols", symbols)),
    )
    missing = [words % {"n": wanted} for wanted, there, words in counts if there < wanted]
    return _("Use at least %(missing)s.") % {"missing": ", ".join(missing)} if missing else ""


def _guessable(policy: PasswordPolicy, password: str, user: User | None) -> str:
    from zxcvbn import zxcvbn

    judged = zxcvbn(password[:_JUDGED], user_inputs=_known_words(user))
    if int(judged["score"]) > policy.zxcvbn_score_threshold:
        return ""
    feedback = judged["feedback"]
    hints = [_(str(hint)) for hint in (feedback["warning"], *feedback["suggestions"]) if hint]
    ended = [hint if hint.endswith((".", "。")) else f"{hint}." for hint in hints[:2]]
    return " ".join([_("This password is easy to guess."), *ended])


def _known_words(user: User | None) -> list[str]:
    """What anybody would try first for this user."""
    if user is None:
        return []
    texts = (user.username, user.name, user.email)
    return [word for text in texts for word in (text, *re.split(r"[\W_]+", text)) if word]


def _was_used(user: User, password: str, number: int) -> bool:
    if user.pk is None or number < 1:
        return False
    current = [user.password] if is_password_usable(user.password) else []
    kept = user.former_passwords.values_list("encoded", flat=True)[: min(number, MOST_FORMER)]
    return any(passwords.matches(encoded, password) for encoded in [*current, *kept])


def _remember(sender: type, *, user: User, former: str, **_: object) -> None:
    """Keep the hash that goes, as long as a policy asks for it; forget the older ones."""
    wanted = max((policy.num_historical_passwords for policy in PasswordPolicy.objects.all()), default=0)
    if wanted and is_password_usable(former):
        FormerPassword.objects.create(user=user, encoded=former)
    for surplus in user.former_passwords.all()[min(wanted, MOST_FORMER) :]:
        surplus.delete()


def _judge(sender: type, *, user: User, password: str, **_: object) -> None:
    require(user, password)


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    password_chosen.connect(_judge, dispatch_uid="policies.password_rules.chosen")
    password_replaced.connect(_remember, dispatch_uid="policies.password_rules.replaced")
