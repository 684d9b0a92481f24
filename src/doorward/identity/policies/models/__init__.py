"""Who may: bindings of users, groups and policies to whatever can be restricted. One file per family of policies."""

from __future__ import annotations

from doorward.identity.policies.models.base import (
    Policy,
    PolicyBinding,
    PolicyTarget,
)
from doorward.identity.policies.models.circumstances import (
    GeoIPPolicy,
    NetworkPolicy,
    PastLogin,
    Reputation,
    ReputationPolicy,
    TimeWindowPolicy,
)
from doorward.identity.policies.models.passwords import (
    FormerPassword,
    PasswordExpiryPolicy,
    PasswordPolicy,
    UniquePasswordPolicy,
)
from doorward.identity.policies.models.rules import (
    DummyPolicy,
    EventMatcherPolicy,
    ExpressionPolicy,
    require_expression,
)

__all__ = [
    "DummyPolicy",
    "EventMatcherPolicy",
    "ExpressionPolicy",
    "FormerPassword",
    "GeoIPPolicy",
    "NetworkPolicy",
    "PasswordExpiryPolicy",
    "PasswordPolicy",
    "PastLogin",
    "Policy",
    "PolicyBinding",
    "PolicyTarget",
    "Reputation",
    "ReputationPolicy",
    "TimeWindowPolicy",
    "UniquePasswordPolicy",
    "require_expression",
]
