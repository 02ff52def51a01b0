"""The ledger of one report: who saw which version, with which advice, what was decided, who was told of a change."""

from fastapi import APIRouter, Response

from schemas.ledger import Deed
from schemas.recognition import reason_list

from .i18n import N_
from .render import page
from .session import Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

DEEDS = {
    Deed.OPENED: (N_("Opened the report"), "quiet"),
    Deed.ADVISED: (N_("Was shown advice"), "info"),
    Deed.DECIDED: (N_("Decided"), "info"),
    Deed.TOLD: (N_("Was told of a change"), "warn"),
    Deed.ACKNOWLEDGED: (N_("Acknowledged it"), "good"),
}
WORDS = {
    "reusable": N_("Can be reused"),
    "reusable-with-caution": N_("Can be reused with caution"),
    "not-suggested": N_("Not suggested"),
    "recognised": N_("Recognised"),
    "not-recognised": N_("Not recognised"),
    "corrected": N_("Corrected"),
    "withdrawn": N_("Withdrawn"),
    "images-replaced": N_("Images changed"),
    "quality-failed": N_("Quality record failed"),
    "identity-changed": N_("Identity in doubt"),
}


@router.get("/reports/{report_id}/ledger")
def ledger(visit: Visiting, report_id: int) -> Response:
    """Oldest first."""
    return page(
        visit,
        "ledger.html",
        report_id=report_id,
        entries=visit.verbs.statistics.ledger(visit.disclosure, report_id),
        deeds=DEEDS,
        words=WORDS,
        names=visit.verbs.statistics.item_names(),
        reasons=reason_list(),
        organizations=organizations(visit),
    )
