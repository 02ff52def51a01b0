"""Calling the systems that want to know of notices: each notice once, repeated until it is taken."""

import datetime as dt
import json
import random
from collections.abc import Callable, Mapping

import structlog

from hub import audit
from schemas.disclosure import Action, Disclosure, Principal, Purpose, Role
from schemas.faults import Busy
from schemas.fhir import communication
from schemas.fhir.references import Links
from schemas.subscription import SubscriptionStatus
from storage import notices, organizations, subscriptions
from storage.audit import add as add_audit
from storage.database import Database
from storage.subscriptions import Due

log = structlog.get_logger()
Call = Callable[[str, Mapping[str, str], bytes], None]
_TOGETHER = 20
_FIRST_WAIT_S, _LONGEST_WAIT_S = 2.0, 900.0
# So many attempts in vain, over some hours, and an administrator has to look; calling goes on.
_ERROR_AFTER = 20


class Hooks:
    """Call it again and again. call: the adapter's."""

    def __init__(self, database: Database, call: Call) -> None:
        self._database = database
        self._call = call

    def __call__(self) -> None:
        """Makes the calls that are due, one after another."""
        now = audit.now()
        with self._database.read() as tx:
            if not subscriptions.records(tx):
                return
        with self._database.write() as tx:
            subscriptions.add_calls(tx, now)
            due = subscriptions.due(tx, now, _TOGETHER)
        for each in due:
            self._attempt(each)

    def _attempt(self, due: Due) -> None:
        kept = due.record.subscription
        body = self._body(due) if kept.with_content else b""
        try:
            self._call(kept.endpoint, dict(kept.headers), body)
        except Busy as fault:
            self._put_off(due, fault.text)
            return
        with self._database.write() as tx:
            subscriptions.settle_call(tx, due.id, audit.now())
            if due.record.status is not SubscriptionStatus.ACTIVE or due.record.error:
                subscriptions.put_status(tx, due.record.id, SubscriptionStatus.ACTIVE)
        log.info("hook.answered", subscription=due.record.id, notice=due.notice_id)

    def _body(self, due: Due) -> bytes:
        """The notice, with a record of which institution's system is shown it."""
        organization = due.record.subscription.organization
        asker = Disclosure(Principal("", "dxhub", Role.SYSTEM, organization), Purpose.TREATMENT)
        with self._database.write() as tx:
            (notice,) = notices.records(tx, asker, notice_id=due.notice_id, organization=organization, overtaken=True)
            known = {each.organization.code: each for each in organizations.organizations(tx)}
            entity = f"Communication/{notice.id}"
            shown = audit.entry(asker, Action.EXPORT, entity, patient_id=notice.patient_id, detail="rest-hook")
            add_audit(tx, [shown])
        resource = communication.to_fhir(notice, Links(organizations=known))
        return json.dumps(resource, ensure_ascii=False).encode()

    def _put_off(self, due: Due, said: str) -> None:
        wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(due.attempts, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
        status = SubscriptionStatus.ERROR if due.attempts + 1 >= _ERROR_AFTER else due.record.status
        with self._database.write() as tx:
            subscriptions.put_off(tx, due.id, audit.now() + dt.timedelta(seconds=wait))
            subscriptions.put_status(tx, due.record.id, status, said)
        log.warning("hook.put_off", subscription=due.record.id, notice=due.notice_id, attempts=due.attempts + 1)
