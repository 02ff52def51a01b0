"""Who may do what. Roles are few and fixed; every reading carries the disclosure that follows from the role."""

import datetime as dt
import hashlib
import hmac
import os
import re
import secrets
import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from hub import audit
from schemas.disclosure import Action, Disclosure, Principal, Purpose, Role
from schemas.faults import Busy, Conflict, Forbidden, InvalidPayload, NotFound
from storage import accounts, organizations
from storage.audit import Entry
from storage.audit import add as add_audit
from storage.database import Database

SESSION = "session"
BEARER = "bearer"
SESSION_LIFETIME = dt.timedelta(hours=10)  # a shift and its handover
TOKEN_LIFETIME = dt.timedelta(hours=1)
# So many wrong passwords for one account within the window, and it has to wait.
_TRIES = 10
_WINDOW = dt.timedelta(minutes=5)
_PATIENCE_S = 10.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Permission(StrEnum):
    """What a role may include."""

    UPLOAD = "upload"
    READ_REPORTS = "read-reports"
    DECIDE = "decide"
    MEASURE = "measure"
    MANAGE_DELIVERIES = "manage-deliveries"
    RESOLVE_IDENTITY = "resolve-identity"
    READ_FIGURES = "read-figures"
    READ_AUDIT = "read-audit"
    MANAGE_SENDERS = "manage-senders"
    MAP_CODES = "map-codes"
    MANAGE_CONNECTIONS = "manage-connections"
    MANAGE_STUDIES = "manage-studies"
    GRADE_IMAGES = "grade-images"
    READ_ECGS = "read-ecgs"
    READ_IMAGES = "read-images"
    KEEP_CATALOGUE = "keep-catalogue"


_CLINICAL = frozenset({Permission.READ_REPORTS, Permission.DECIDE})
_ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.TECHNICIAN: frozenset({Permission.UPLOAD, Permission.READ_REPORTS}),
    # Who reads images keeps what was measured on them, also on those of another institution.
    Role.RADIOLOGIST: _CLINICAL | {Permission.READ_IMAGES, Permission.MEASURE, Permission.GRADE_IMAGES},
    Role.ECG_READER: _CLINICAL | {Permission.READ_ECGS},
    # Who reads laboratory reports all day knows best what a code stands for.
    Role.LAB_REVIEWER: _CLINICAL | {Permission.MAP_CODES},
    Role.CLINICIAN: _CLINICAL,
    Role.QUALITY: frozenset({Permission.READ_REPORTS, Permission.READ_FIGURES, Permission.KEEP_CATALOGUE}),
    Role.ADMIN: frozenset(
        {
            Permission.MANAGE_DELIVERIES,
            Permission.RESOLVE_IDENTITY,
            Permission.MANAGE_CONNECTIONS,
            Permission.MANAGE_STUDIES,
            Permission.MANAGE_SENDERS,
            Permission.MAP_CODES,
            Permission.KEEP_CATALOGUE,
        }
    ),
    Role.AUDITOR: frozenset({Permission.READ_AUDIT}),
    Role.SYSTEM: frozenset({Permission.READ_REPORTS}),
}
_PURPOSE = {
    Role.QUALITY: Purpose.QUALITY,
    Role.ADMIN: Purpose.ADMINISTRATION,
    Role.AUDITOR: Purpose.OPERATIONS,
}


def allowed(principal: Principal, permission: Permission) -> bool:
    """Whether the principal's role includes the permission."""
    return permission in _ALLOWED[principal.role]


def require(principal: Principal, *any_of: Permission) -> None:
    """Raises Forbidden unless the principal's role includes one of the permissions."""
    if not any(allowed(principal, permission) for permission in any_of):
        raise Forbidden("this role does not include what was asked", where=" or ".join(any_of))


def disclosure_for(principal: Principal, address: str = "") -> Disclosure:
    """The right under which this principal reads. A technician sees what their own institution issued."""
    only = principal.organization if principal.role is Role.TECHNICIAN else ""
    return Disclosure(principal, _PURPOSE.get(principal.role, Purpose.TREATMENT), address, only)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session. `token`: what the browser keeps; `csrf`: what its forms must carry."""

    token: str
    csrf: str
    principal: Principal
    expires_at: dt.datetime


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Access:
    """Accounts, sessions and bearer tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        self._lock = threading.Lock()
        # By account: its tries since the last right password.
        self._tries: dict[str, deque[dt.datetime]] = {}
        # Argon2 takes 64 MiB for each password that is looked at.
        self._hashing = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
        # Checked in place of an unknown account's hash, so that the time taken does not tell which accounts exist.
        self._nobody = self._hasher.hash(secrets.token_hex())

    def put_account(self, principal: Principal, password: str) -> None:
        """Adds an account, or replaces it and its password."""
        password_hash = self._hasher.hash(password)
        with self._database.write() as tx:
            accounts.put_account(tx, principal, password_hash)

    def add_account(self, principal: Principal) -> str:
        """Adds an account with a password of chance, which is returned and kept nowhere. Audited.

        Raises Conflict where the name is taken, NotFound for an institution that nobody registered, InvalidPayload for
        a name that nobody could type.
        """
        if not _NAME.fullmatch(principal.account):
            raise InvalidPayload("expected a name of letters, digits, dots and dashes", where="account")
        password = secrets.token_urlsafe(15)
        password_hash = self._hasher.hash(password)
        with self._database.write() as tx:
            organizations.organization(tx, principal.organization)
            if accounts.account(tx, principal.account) is not None:
                raise Conflict("an account of this name exists already", where="account")
            accounts.put_account(tx, principal, password_hash)
            audit.record(tx, disclosure_for(principal), Action.ADMINISTER, detail=f"account added: {principal.role}")
        return password

    def reset_password(self, account: str) -> str:
        """Gives an account a new password of chance, and ends its sessions. Raises NotFound. Audited."""
        password = secrets.token_urlsafe(15)
        password_hash = self._hasher.hash(password)
        with self._database.write() as tx:
            known = accounts.account(tx, account)
            if known is None:
                raise NotFound("no account has this name", where="account")
            accounts.put_account(tx, known.principal, password_hash)
            accounts.remove_tokens_of(tx, known.id)
            audit.record(tx, disclosure_for(known.principal), Action.ADMINISTER, detail="password reset")
        return password

    def sign_in(self, account: str, password: str, address: str) -> SignedIn:
        """Opens a session. Raises Forbidden for a wrong name or password, Busy after too many of them. Audited."""
        self._count_try(account)
        with self._database.read() as tx:
            known = accounts.account(tx, account)
        if not self._matches(known.password_hash if known else self._nobody, password) or known is None:
            self._failed(account, address)
            raise Forbidden("the account name or the password is wrong")
        with self._lock:
            self._tries.pop(account, None)
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(32), audit.now()
        with self._database.write() as tx:
            accounts.remove_expired_tokens(tx, now)
            accounts.add_token(tx, _digest(token), known.id, SESSION, now + SESSION_LIFETIME, csrf)
            audit.record(tx, disclosure_for(known.principal, address), Action.SIGN_IN)
        return SignedIn(token, csrf, known.principal, now + SESSION_LIFETIME)

    def _matches(self, password_hash: str, password: str) -> bool:
        if not self._hashing.acquire(timeout=_PATIENCE_S):
            raise Busy("too many people sign in at this moment", where="account")
        try:
            return self._hasher.verify(password_hash, password)
        except VerificationError:
            return False
        finally:
            self._hashing.release()

    def _count_try(self, account: str) -> None:
        """Counts before the password is looked at, so that tries at the same moment do not all pass for the first."""
        now = audit.now()
        with self._lock:
            # Names that nobody has must not fill the memory either.
            if len(self._tries) > 10_000:
                self._tries.clear()
            tries = self._tries.setdefault(account, deque())
            while tries and tries[0] < now - _WINDOW:
                tries.popleft()
            if len(tries) >= _TRIES:
                raise Busy("too many wrong passwords; wait a few minutes", where="account")
            tries.append(now)

    def _failed(self, account: str, address: str) -> None:
        entry = Entry(audit.now(), Action.SIGN_IN, outcome="forbidden", account=account[:64], address=address)
        with self._database.write() as tx:
            add_audit(tx, [entry])

    def session(self, token: str) -> SignedIn | None:
        """The live session of this token."""
        with self._database.read() as tx:
            known = accounts.token(tx, _digest(token), SESSION, audit.now())
        return SignedIn(token, known.csrf, known.principal, known.expires_at) if known else None

    def sign_out(self, token: str, address: str) -> None:
        """Ends the session for good."""
        signed_in = self.session(token)
        if signed_in is None:
            return
        with self._database.write() as tx:
            accounts.remove_token(tx, _digest(token))
            audit.record(tx, disclosure_for(signed_in.principal, address), Action.SIGN_OUT)

    def bearer(self, token: str) -> Principal | None:
        """Who holds this bearer token; None when it is unknown or expired."""
        with self._database.read() as tx:
            known = accounts.token(tx, _digest(token), BEARER, audit.now())
        return known.principal if known else None

    def issue_token(self, account: str, lifetime: dt.timedelta = TOKEN_LIFETIME) -> str:
        """A bearer token for the account's programs. Raises NotFound for an unknown account."""
        token = secrets.token_urlsafe(32)
        with self._database.write() as tx:
            known = accounts.account(tx, account)
            if known is None:
                raise NotFound("no account has this name", where="account")
            accounts.add_token(tx, _digest(token), known.id, BEARER, audit.now() + lifetime)
            audit.record(tx, disclosure_for(known.principal), Action.ADMINISTER, detail="bearer token issued")
        return token

    def set_language(self, principal: Principal, language: str) -> None:
        """Remembers the language in which the person works: `zh` or `en`."""
        with self._database.write() as tx:
            accounts.put_language(tx, principal.account, language)


def same(one: str, other: str) -> bool:
    """Compares two secrets without telling by the time taken where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
