"""Accounts and the digests of their tokens. Neither a password nor a token is ever stored."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from schemas.disclosure import Principal, Role

from . import tables as t
from .statement import Statement


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the Argon2 hash of its password."""

    id: int
    principal: Principal
    password_hash: str


@dataclass(frozen=True, slots=True)
class Token:
    """`expires_at`: our clock. `csrf`: what a form of this session must carry."""

    principal: Principal
    csrf: str
    expires_at: dt.datetime


_PRINCIPAL = (t.account.c.name, t.account.c.display, t.account.c.role, t.organization.c.code, t.account.c.language)


def put_account(tx: Connection, principal: Principal, password_hash: str) -> None:
    """Adds an account, or replaces the one of that name."""
    organization = select(t.organization.c.id).where(t.organization.c.code == principal.organization)
    values = {
        "name": principal.account,
        "display": principal.name,
        "role": principal.role.value,
        "organization_id": organization.scalar_subquery(),
        "password_hash": password_hash,
        "language": principal.language,
        "disabled": False,
    }
    known = tx.scalar(select(t.account.c.id).where(t.account.c.name == principal.account))
    write = t.account.insert() if known is None else t.account.update().where(t.account.c.id == known)
    tx.execute(write.values(values))


def _principal(name: str, display: str, role: str, organization: str, language: str) -> Principal:
    return Principal(name, display, Role(role), organization, language)


def account(tx: Connection, name: str) -> Account | None:
    """The account of that name, unless it is disabled."""
    query = (
        select(t.account.c.id, t.account.c.password_hash, *_PRINCIPAL)
        .join(t.organization)
        .where(t.account.c.name == name, t.account.c.disabled.is_(False))
    )
    row = tx.execute(query).first()
    return Account(row[0], _principal(*row[2:]), row[1]) if row else None


def put_language(tx: Connection, name: str, language: str) -> None:
    """Remembers the language in which the person works."""
    tx.execute(t.account.update().where(t.account.c.name == name).values(language=language))


def add_token(tx: Connection, digest: str, account_id: int, kind: str, expires_at: dt.datetime, csrf: str = "") -> None:
    """Remembers a token by its digest; `kind`: `session` or `bearer`."""
    tx.execute(
        t.token.insert(),
        {"digest": digest, "account_id": account_id, "kind": kind, "expires_at": expires_at, "csrf": csrf},
    )


# Asked for every page, frame and search.
_LIVE_TOKEN = Statement(
    select(t.token.c.csrf, t.token.c.expires_at, *_PRINCIPAL)
    .join(t.account, t.token.c.account_id == t.account.c.id)
    .join(t.organization, t.account.c.organization_id == t.organization.c.id)
    .where(
        t.account.c.disabled.is_(False),
        t.token.c.digest == bindparam("digest"),
        t.token.c.kind == bindparam("kind"),
        t.token.c.expires_at > bindparam("now", type_=t.token.c.expires_at.type),
    )
)


def token(tx: Connection, digest: str, kind: str, now: dt.datetime) -> Token | None:
    """The live token of that kind under this digest; None when unknown, expired or its account disabled."""
    row: Any = _LIVE_TOKEN.first(tx, digest=digest, kind=kind, now=now)
    return Token(_principal(*row[2:]), row[0], row[1]) if row else None


def remove_token(tx: Connection, digest: str) -> None:
    """Ends a session or a bearer token."""
    tx.execute(t.token.delete().where(t.token.c.digest == digest))


def remove_tokens_of(tx: Connection, account_id: int) -> None:
    """Ends every session and bearer token of an account."""
    tx.execute(t.token.delete().where(t.token.c.account_id == account_id))


def remove_expired_tokens(tx: Connection, now: dt.datetime) -> None:
    """Forgets what can no longer be used."""
    tx.execute(t.token.delete().where(t.token.c.expires_at <= now))
