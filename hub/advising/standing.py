"""Whether the issuer of a report had passed quality assessment of what the report tells, when it was sampled."""

from sqlalchemy import Connection

from hub.catalogue import items_of_report
from schemas.quality import Assessed
from schemas.report import ReportRecord
from storage import catalogue, mappings, quality


def unassessed(tx: Connection, record: ReportRecord) -> bool:
    """Whether an item of the report was out of quality, or nobody knows of it; false where it tells of no item."""
    report = record.report
    found = items_of_report(catalogue.catalogue(tx), mappings.concepts(tx), report)
    items = [match.item.code for match in found if not match.item.members]
    if not items or report.observed_at is None:
        return bool(items)
    book = quality.book(tx)
    stands = (book.standing(record.organization, item, "", report.observed_at).assessed for item in items)
    return any(each is not Assessed.PASSED for each in stands)
