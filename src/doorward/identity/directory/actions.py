"""Everything that changes users, groups and tokens: one transaction, one event, and what must end with it ends."""

from __future__ import annotations

from doorward.identity.directory.groups import add_member, create_group, delete_group, remove_member, update_group
from doorward.identity.directory.tokens import (
    create_token,
    delete_token,
    set_token_key,
    update_token,
    view_token_key,
)
from doorward.identity.directory.users import create_user, delete_user, set_password, set_password_hash, update_user

__all__ = [
    "add_member",
    "create_group",
    "create_token",
    "create_user",
    "delete_group",
    "delete_token",
    "delete_user",
    "remove_member",
    "set_password",
    "set_password_hash",
    "set_token_key",
    "update_group",
    "update_token",
    "update_user",
    "view_token_key",
]
