"""C-FIND, patient root and study root. Source: DICOM PS3.4 C.4.1, PS3.7 9.1.2."""

import time
from collections.abc import Iterator
from dataclasses import replace

import structlog

from adapters.dicom.dimse import Association, Request, Response, encoded
from schemas.disclosure import Disclosure
from schemas.faults import Category, Fault
from schemas.network import Archive, Level, Match, Query
from schemas.study import StudyCriteria

from . import identifier as identifiers
from .answer import Answers, above, known
from .attributes import BY_TAG, UNIQUE, supported
from .identifier import IDENTIFIER_DOES_NOT_MATCH, UNABLE, Identifier, Refused
from .matching import Test, bounds, test

log = structlog.get_logger()

SUCCESS, CANCELLED, PENDING, PENDING_WITH_UNKNOWN_KEYS = 0x0000, 0xFE00, 0xFF00, 0xFF01
OUT_OF_RESOURCES, NOT_AUTHORIZED = 0xA700, 0x0124
MOST_MATCHES = 10_000
_NAME, _ID, _ACCESSION, _DATE = 0x00100010, 0x00100020, 0x00080050, 0x00080020
_STUDY, _SERIES, _MODALITIES, _CLASSES, _DESCRIPTION = 0x0020000D, 0x0020000E, 0x00080061, 0x00080062, 0x00081030
_STATUS = {Category.FORBIDDEN: NOT_AUTHORIZED, Category.BUSY: OUT_OF_RESOURCES}


class Find:
    """Answers queries of peers that may ask, page by page as the index finds them."""

    def __init__(self, archive: Archive, ae_title: str) -> None:
        self._archive = archive
        self._ae_title = ae_title

    def __call__(self, association: Association, request: Request) -> Iterator[Response]:
        """One C-FIND request, from its first to its final answer."""
        began, told, status = time.monotonic(), 0, SUCCESS
        try:
            asker = self._archive.asker(association.origin)
            for answer in self._found(association, request, asker):
                told += answer.data is not None
                status = answer.status
                yield answer
        except Refused as refused:
            status = refused.status
            yield refusal(refused)
        except Fault as fault:
            status = _STATUS.get(fault.category, UNABLE)
            yield Response(status, more={"ErrorComment": comment(str(fault))})
        took_ms = round((time.monotonic() - began) * 1000, 1)
        log.info("dicom.found", status=f"{status:04X}", matches=told, took_ms=took_ms)

    def _found(self, association: Association, request: Request, asker: Disclosure) -> Iterator[Response]:
        charset = association.origin.source.charset
        identifier = identifiers.read(request, charset)
        attributes = supported(identifier.level)
        asked = {tag: attributes[tag] for tag in identifier.keys if tag in attributes}
        tests = {tag: found for tag, each in asked.items() if (found := test(each, identifier.keys[tag]))}
        pending = PENDING if all(tag in asked or known(tag) for tag in identifier.keys) else PENDING_WITH_UNKNOWN_KEYS
        answers = Answers(identifier, asked, self._ae_title, charset)

        def passes(match: Match) -> bool:
            return _passes(answers.values(match, asked.values()), tests)

        for told, match in enumerate(self._archive.find(asker, replace(query(identifier), passes=passes))):
            if association.ending or association.cancelled(request):
                yield Response(CANCELLED)
                return
            if told == MOST_MATCHES:
                yield Response(OUT_OF_RESOURCES, more={"ErrorComment": f"more than {MOST_MATCHES} matches"})
                return
            values = answers.values(match, asked.values())
            yield Response(pending, encoded(answers.answer(values), request.context))
        yield Response(SUCCESS)


def _passes(values: dict[int, tuple[str, ...]], tests: dict[int, Test]) -> bool:
    return all(any(map(passes, values[tag])) for tag, passes in tests.items())


def query(identifier: Identifier) -> Query:
    """What the index is asked. Raises Refused where a unique key of a level above is missing, or is no single value."""
    for level in above(identifier.level):
        # Nobody needs the patient to find a study: its UID is unique by itself, and the study root has no patients.
        if level is not Level.PATIENT and len(identifier.uids(UNIQUE[level])) != 1:
            said = f"expected one {BY_TAG[UNIQUE[level]].keyword} at this level"
            raise Refused(IDENTIFIER_DOES_NOT_MATCH, said, UNIQUE[level])
    first, last = _dates(identifier)
    modalities = identifier.keys.get(_MODALITIES, ())
    at_study = identifier.level in {Level.PATIENT, Level.STUDY}
    criteria = StudyCriteria(
        patient_identifier=_only(identifier, _ID),
        patient_name=identifier.text(_NAME),
        accession_number=_only(identifier, _ACCESSION) if at_study else "",
        study_instance_uids=identifier.uids(_STUDY),
        date_from=first if at_study else "",
        date_to=last if at_study else "",
        modality=modalities[0] if len(modalities) == 1 and not {"*", "?"} & set(modalities[0]) else "",
        description=_only(identifier, _DESCRIPTION) if at_study else "",
    )
    series = identifier.uids(_SERIES) if identifier.level is Level.IMAGE else ()
    return Query(identifier.level, criteria, next(iter(series), ""), details=_CLASSES in identifier.keys)


def _only(identifier: Identifier, tag: int) -> str:
    """The key's one value, for the index; with several the answer is looked at instead."""
    values = identifier.keys.get(tag, ())
    return values[0] if len(values) == 1 and values[0].strip("*") else ""


def _dates(identifier: Identifier) -> tuple[str, str]:
    text = identifier.text(_DATE)
    return bounds(BY_TAG[_DATE], text) if text and text != "*" else ("", "")


def refusal(refused: Refused) -> Response:
    """The final answer to an identifier that cannot be used."""
    more: dict[str, int | str | tuple[int, ...]] = {"ErrorComment": comment(refused.text)}
    if refused.tags:
        more["OffendingElement"] = refused.tags
    return Response(refused.status, more=more)


def comment(text: str) -> str:
    """(0000,0902) Error Comment: LO, at most 64 characters of the default repertoire."""
    return "".join(each if " " <= each <= "~" and each != "\\" else "?" for each in text)[:64]
