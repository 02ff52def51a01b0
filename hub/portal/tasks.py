"""Codes and units that nobody has mapped: what was sent, what it probably means, and the answer of whoever knows."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission, require
from hub.terminology.service import MOST_COUNTED, Waiting
from schemas.analytes import Analyte, analyte, search
from schemas.catalogue import Item
from schemas.faults import Category, Fault, InvalidPayload
from schemas.mapping import MappingKind
from schemas.task import Task, TaskState

from .render import fragment, page, page_or_fragment
from .session import Fields, Posting, Visit, Visiting


def mapping(visit: Visiting) -> None:
    """Who knows what a laboratory means by its codes."""
    require(visit.principal, Permission.MAP_CODES)


router = APIRouter(include_in_schema=False, dependencies=[Depends(mapping)])

PAGE_SIZE = 50
_LOINC = re.compile(r"[0-9]{1,7}-[0-9]")
Words = Annotated[str, Query(max_length=100)]


@router.get("/tasks")
def tasks(
    visit: Visiting,
    state: str = TaskState.OPEN.value,
    q: Words = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Tasks by state, oldest first; a search looks at codes, names and senders."""
    wanted = TaskState(state) if state in set(TaskState) else TaskState.OPEN
    found = visit.verbs.terminology.tasks(visit.disclosure, wanted, text=q.strip(), limit=PAGE_SIZE, offset=offset)
    values = {"found": found, "state": wanted, "q": q.strip(), "page_size": PAGE_SIZE, "most_counted": MOST_COUNTED}
    return page_or_fragment(visit, "tasks.html", "_tasks.html", **values)


@router.get("/tasks/{task_id}")
def task(visit: Visiting, task_id: int, q: Words = "") -> Response:
    """One task: the code as sent, values that came under it, and the analytes that are likely meant, or searched."""
    return _task_page(visit, visit.verbs.terminology.task(visit.disclosure, task_id), typed=q.strip())


def _task_page(visit: Visit, waiting: Waiting, fault: Fault | None = None, typed: str = "") -> Response:
    terminology, found = visit.verbs.terminology, waiting.task
    following = terminology.tasks(visit.disclosure, TaskState.OPEN, limit=2).items
    return page(
        visit,
        "task.html",
        status=400 if fault else 200,
        waiting=waiting,
        task=found,
        examples=terminology.examples(visit.disclosure, found),
        history=terminology.history(visit.disclosure, found),
        choices=_choices(visit, found, typed) if found.state is TaskState.OPEN else (),
        meant=analyte(found.concept.code) if found.concept else None,
        following=next((each.task for each in following if each.task.id != found.id), None),
        most_counted=MOST_COUNTED,
        fault=fault,
        q=typed,
    )


@router.get("/tasks/{task_id}/search")
def choices(visit: Visiting, task_id: int, q: Words = "") -> Response:
    """Analytes for what was typed; the likely ones where nothing is."""
    found = visit.verbs.terminology.task(visit.disclosure, task_id).task
    typed = q.strip()
    return fragment(visit, "_choices.html", task=found, choices=_choices(visit, found, typed), q=typed)


def _choices(visit: Visit, found: Task, typed: str) -> tuple[Analyte, ...]:
    if found.kind is MappingKind.ORDER:
        return tuple(map(_as_choice, visit.verbs.terminology.items(found, typed)))
    if found.kind is MappingKind.UNIT or not typed:
        return visit.verbs.terminology.suggestions(found)
    return search(typed) or _unnamed(typed)


def _as_choice(item: Item) -> Analyte:
    return Analyte(item.code, item.zh, item.en, item.unit, item.also[:3])


def _unnamed(typed: str) -> tuple[Analyte, ...]:
    """A LOINC code that the hub does not know by name may be meant all the same."""
    return (Analyte(typed, typed, typed),) if _LOINC.fullmatch(typed) else ()


@router.post("/tasks/{task_id}")
def decide(visit: Posting, task_id: int, fields: Fields) -> Response:
    """Maps the code, dismisses the task, or takes such an answer back."""
    terminology, said = visit.verbs.terminology, fields.get("decision", "")
    try:
        if "code" in fields and said in {"", "map"}:
            terminology.map(visit.disclosure, task_id, fields["code"])
        elif said == "dismiss":
            terminology.dismiss(visit.disclosure, task_id, fields.get("reason", ""))
        elif said == "undo":
            terminology.undo(visit.disclosure, task_id)
        else:
            raise InvalidPayload("expected a decision: map, dismiss or undo", where="decision")
    except Fault as fault:
        if fault.category not in {Category.INVALID, Category.CONFLICT}:
            raise
        return _task_page(visit, terminology.task(visit.disclosure, task_id), fault)
    return RedirectResponse(f"/tasks/{task_id}", status_code=303)
