"""What a person does about notices: reads them, and says that they know."""

from dataclasses import dataclass

from hub import audit
from hub.access import Permission, allowed, require
from hub.disclosing import disclosing
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, Forbidden, NotFound
from schemas.notice import Notice
from storage import notices

from .subscribing import Subscribing

_MOST_WORDS = 500
# A quality officer sees what an institution has not acknowledged; the values stay with who treats.
_SEES = (Permission.DECIDE, Permission.READ_FIGURES)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many notices wait for the asker, and how many for the asker's institution."""

    mine: int = 0
    institution: int = 0


class Recall(Subscribing):
    """The inbox of whoever relied on a result, and the systems that are called for it."""

    def waiting(self, disclosure: Disclosure) -> Waiting:
        """Numbers only; nothing where the role has no notices."""
        principal = disclosure.principal
        if not allowed(principal, Permission.DECIDE):
            return Waiting()
        with self._database.read() as tx:
            return Waiting(*notices.counts(tx, principal.organization, principal.account))

    def inbox(self, disclosure: Disclosure, *, institution: bool = False) -> tuple[Notice, ...]:
        """Notices to the asker, or to everyone of the asker's institution; what waits stands first."""
        principal = disclosure.principal
        with disclosing(self._database, disclosure, Action.SEARCH, "Communication", *_SEES) as asked:
            whole = institution or not allowed(principal, Permission.DECIDE)
            found = notices.records(
                asked.tx,
                disclosure,
                account="" if whole else principal.account,
                organization=principal.organization,
            )
            asked.shows(each.patient_id for each in found)
            return found

    def of_report(self, disclosure: Disclosure, report_id: int) -> tuple[Notice, ...]:
        """Every notice about a report: who was told of what, and who acknowledged it."""
        entity = f"Communication?about=DiagnosticReport/{report_id}"
        with disclosing(self._database, disclosure, Action.SEARCH, entity, *_SEES) as asked:
            found = notices.records(asked.tx, disclosure, report_id=report_id)
            asked.shows(each.patient_id for each in found)
            return found

    def notice(self, disclosure: Disclosure, notice_id: int) -> Notice:
        """One notice to the asker's institution. Raises NotFound, also for those to others."""
        with disclosing(self._database, disclosure, Action.READ, f"Communication/{notice_id}", *_SEES) as asked:
            found = notices.records(
                asked.tx, disclosure, notice_id=notice_id, organization=disclosure.principal.organization
            )
            if not found:
                raise NotFound("no such notice", where="notice")
            asked.shows([found[0].patient_id])
            return found[0]

    def acknowledge(self, disclosure: Disclosure, notice_id: int, remark: str = "") -> Notice:
        """The asker knows, for themselves or for a colleague who is away. Raises NotFound, Forbidden, Conflict."""
        require(disclosure.principal, Permission.DECIDE)
        principal = disclosure.principal
        remark = " ".join(remark.split())[:_MOST_WORDS]
        with self._database.write() as tx:
            found = notices.records(tx, disclosure, notice_id=notice_id, organization=principal.organization)
            if not found:
                raise NotFound("no such notice", where="notice")
            (notice,) = found
            if notice.account != principal.account and not remark:
                raise Forbidden("expected a remark: this notice is to a colleague", where="remark")
            if not notices.put_acknowledged(tx, notice, account=principal.account, remark=remark, now=audit.now()):
                raise Conflict("this notice was acknowledged already", where="notice")
            entity = f"Communication/{notice_id}"
            audit.record(tx, disclosure, Action.DECIDE, entity, patient_id=notice.patient_id, detail="acknowledged")
            return notices.records(tx, disclosure, notice_id=notice_id)[0]
