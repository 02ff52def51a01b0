"""The verb of whoever knows what a laboratory means by its codes. Every decision is audited and can be taken back."""

from dataclasses import dataclass

from sqlalchemy import Connection

from hub import audit
from hub.access import Permission, require
from hub.disclosing import disclosing
from hub.item_search import ranked, resembling
from schemas.analytes import Analyte, analyte, suggestions
from schemas.catalogue import Item
from schemas.codes import CATALOGUE, LOINC, UCUM, Coding, loinc_checks
from schemas.disclosure import Action, Disclosure
from schemas.faults import Conflict, InvalidPayload
from schemas.mapping import Mapping, MappingKind
from schemas.observation import ObservationCriteria, ObservationRecord
from schemas.paging import Page
from schemas.task import Task, TaskState
from schemas.units import ucum
from storage import catalogue, mappings, observations, tasks
from storage.database import Database

_MAP = Permission.MAP_CODES
_EXAMPLES = 5
# As many as a person needs to know; counting on would read the whole index.
MOST_COUNTED = 1000
_LONGEST = 200
_MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task, and how many results lie under its code: exact below MOST_COUNTED; None for what is no result."""

    task: Task
    results: int | None


class Terminology:
    """Tasks and mappings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tasks(
        self, disclosure: Disclosure, state: TaskState, *, text: str = "", limit: int = 50, offset: int = 0
    ) -> Page[Waiting]:
        """Tasks in that state, oldest first."""
        require(disclosure.principal, _MAP)
        with self._database.read() as tx:
            page = tasks.tasks(tx, state, text=text, limit=limit, offset=offset)
            return Page(tuple(_waiting(tx, each) for each in page.items), page.total, page.offset)

    def task(self, disclosure: Disclosure, task_id: int) -> Waiting:
        """Raises NotFound."""
        require(disclosure.principal, _MAP)
        with self._database.read() as tx:
            return _waiting(tx, tasks.task(tx, task_id))

    def history(self, disclosure: Disclosure, task: Task) -> tuple[Mapping, ...]:
        """What was decided about the code of a task, newest first."""
        require(disclosure.principal, _MAP)
        with self._database.read() as tx:
            return mappings.history(tx, task.kind, task.system, task.code)

    def examples(self, disclosure: Disclosure, task: Task) -> tuple[ObservationRecord, ...]:
        """Some of the latest results under the code of a task: their values help to tell what is measured."""
        if task.kind is not MappingKind.CODE:
            return ()
        criteria = ObservationCriteria(code=task.code, code_system=task.system, limit=_EXAMPLES)
        with disclosing(self._database, disclosure, Action.READ, f"Task/{task.id}", _MAP) as asked:
            found = observations.latest(asked.tx, disclosure, criteria)
            asked.shows(each.patient_id for each in found)
            return found

    def suggestions(self, task: Task) -> tuple[Analyte, ...]:
        """The analytes that are likely meant."""
        return suggestions(task.code, task.display) if task.kind is MappingKind.CODE else ()

    def items(self, task: Task, typed: str = "") -> tuple[Item, ...]:
        """Items of the catalogue that answer what was typed; where nothing was, those named like the task."""
        with self._database.read() as tx:
            known = catalogue.catalogue(tx)
        if typed:
            wanted = (each for each in known.versions.values() if not each.retired)
            return tuple(each.item for each in ranked(wanted, typed)[:_MOST_ITEMS])
        return resembling(known, task.display or task.code)

    def map(self, disclosure: Disclosure, task_id: int, code: str) -> Task:
        """Says what a task's code or unit stands for: a LOINC code, or a UCUM unit. Takes effect at once, everywhere.

        Raises InvalidPayload for a code that is none, Conflict where somebody else has just answered.
        """
        require(disclosure.principal, _MAP)
        with self._database.write() as tx:
            task = tasks.task(tx, task_id)
            if task.state is TaskState.MAPPED:
                raise Conflict("this code is mapped already; take that back first", where="task")
            concept = _item(tx, code.strip()) if task.kind is MappingKind.ORDER else _concept(task.kind, code.strip())
            _decide(tx, disclosure, task, concept)
            now, account = audit.now(), disclosure.principal.account
            tasks.settle(tx, task_id, TaskState.MAPPED, decided_by=account, now=now)
            _record(tx, disclosure, task, f"mapped to {concept.code}")
            return tasks.task(tx, task_id)

    def dismiss(self, disclosure: Disclosure, task_id: int, reason: str) -> None:
        """Says that a code stands for nothing that the district compares, and why."""
        require(disclosure.principal, _MAP)
        reason = " ".join(reason.split())[:_LONGEST]
        if not reason:
            raise InvalidPayload("expected a reason", where="reason")
        with self._database.write() as tx:
            task = tasks.task(tx, task_id)
            if task.state is not TaskState.OPEN:
                raise Conflict("this task is answered already", where="task")
            now, account = audit.now(), disclosure.principal.account
            tasks.settle(tx, task_id, TaskState.DISMISSED, decided_by=account, now=now, reason=reason)
            _record(tx, disclosure, task, "dismissed")

    def undo(self, disclosure: Disclosure, task_id: int) -> None:
        """Takes an answer back: the code is unmapped again, and waits."""
        require(disclosure.principal, _MAP)
        with self._database.write() as tx:
            task = tasks.task(tx, task_id)
            if task.state is TaskState.OPEN:
                return
            if task.concept is not None:
                _decide(tx, disclosure, task, None)
            tasks.settle(tx, task_id, TaskState.OPEN, decided_by="", now=None)
            _record(tx, disclosure, task, "taken back")


def _waiting(tx: Connection, task: Task) -> Waiting:
    if task.kind is not MappingKind.CODE:
        return Waiting(task, None)
    return Waiting(task, observations.count_of(tx, task.system, task.code, at_most=MOST_COUNTED))


def _item(tx: Connection, code: str) -> Coding:
    item = catalogue.catalogue(tx).get(code.upper())
    if item is None:
        raise InvalidPayload("expected the code of an item in the catalogue", where="code")
    return Coding(item.code, item.zh, CATALOGUE)


def _concept(kind: MappingKind, code: str) -> Coding:
    if kind is MappingKind.UNIT:
        if not ucum(code, UCUM):
            raise InvalidPayload("expected a unit of UCUM such as 10*9/L", where="code")
        return Coding(code, "", UCUM)
    if not loinc_checks(code):
        raise InvalidPayload("expected a LOINC code such as 6690-2, with its check digit", where="code")
    known = analyte(code)
    return known.coding if known else Coding(code, "", LOINC)


def _decide(tx: Connection, disclosure: Disclosure, task: Task, concept: Coding | None) -> None:
    sent = Coding(task.code, task.display, task.system)
    mappings.add(tx, task.kind, sent, concept, decided_by=disclosure.principal.account, now=audit.now())


def _record(tx: Connection, disclosure: Disclosure, task: Task, what: str) -> None:
    detail = f"{task.kind} {task.system} {task.code}: {what}"
    audit.record(tx, disclosure, Action.ADMINISTER, f"Task/{task.id}", detail=detail)
