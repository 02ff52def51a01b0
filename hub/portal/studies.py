"""A study's own page: whether it is complete, how good its images are, what was taken back, whose it was."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hub.access import Permission
from schemas.faults import InvalidPayload
from schemas.image_quality import Grade, Graded, GradeReason, Shortcoming
from schemas.study import Hidden
from schemas.study_life import ChangeKind

from .i18n import N_
from .render import page
from .session import Fields, Posting, Visiting
from .timeline import organizations

router = APIRouter(include_in_schema=False)

GRADES = {Grade.A: N_("Grade A"), Grade.B: N_("Grade B"), Grade.C: N_("Grade C"), Grade.REJECT: N_("Reject film")}
GRADE_TONES = {Grade.A: "good", Grade.B: "info", Grade.C: "warn", Grade.REJECT: "critical"}
REASONS = {
    GradeReason.POSITIONING: N_("Positioning"),
    GradeReason.COVERAGE: N_("Coverage"),
    GradeReason.MOTION: N_("Motion"),
    GradeReason.EXPOSURE: N_("Exposure"),
    GradeReason.ARTEFACT: N_("Artefact"),
    GradeReason.MARKING: N_("Marking"),
    GradeReason.OTHER: N_("Other reason"),
}
SHORTCOMINGS = {
    Shortcoming.SLICES: N_("Slices are missing"),
    Shortcoming.LATERALITY: N_("The side of the body is not told"),
    Shortcoming.ANNOUNCED: N_("The modality announced more images"),
    Shortcoming.DECLARED: N_("The images count more of themselves"),
}
HIDDEN = {
    Hidden.QUALITY: N_("Rejected for quality reasons"),
    Hidden.PATIENT_SAFETY: N_("Rejected for patient safety"),
    Hidden.WORKLIST: N_("Taken under a wrong worklist entry"),
    Hidden.EXPIRED: N_("Kept for long enough"),
    Hidden.NOTE: N_("Rejection note"),
    Hidden.REMOVED: N_("Removed"),
    Hidden.SUPERSEDED: N_("Of an earlier version of its report"),
}
CHANGES = {ChangeKind.MOVE: N_("Moved to another patient"), ChangeKind.UNDO: N_("Move undone")}


@router.get("/studies")
def studies(visit: Visiting, request: Request) -> Response:
    """Where an administrator finds a study: by accession number, UID or patient number."""
    text = request.query_params.get("q", "").strip()[:64]
    found = visit.verbs.curation.find(visit.disclosure, text)
    return page(visit, "studies.html", found=found, q=text, organizations=organizations(visit))


@router.get("/studies/{study_id}")
def study(visit: Visiting, study_id: int) -> Response:
    """What became of the study, and what this person may do about it."""
    return page(
        visit,
        "study.html",
        life=visit.verbs.curation.study(visit.disclosure, study_id),
        organizations=organizations(visit),
        may_grade=visit.may(Permission.GRADE_IMAGES),
        may_manage=visit.may(Permission.MANAGE_STUDIES),
        may_read=visit.may(Permission.READ_REPORTS),
        grades=GRADES,
        grade_tones=GRADE_TONES,
        reasons=REASONS,
        shortcomings=SHORTCOMINGS,
        whys=HIDDEN,
        kinds=CHANGES,
    )


@router.post("/studies/{study_id}/grade")
def grade(visit: Posting, study_id: int, fields: Fields) -> Response:
    """One click: the grade, with the reasons that were ticked."""
    try:
        reasons = tuple(each for each in GradeReason if fields.get(f"reason-{each.value}"))
        graded = Graded(Grade(fields.get("grade", "")), reasons)
    except ValueError as error:
        raise InvalidPayload("expected a grade", where="grade") from error
    visit.verbs.curation.grade(visit.disclosure, study_id, graded)
    return _back(study_id)


@router.post("/studies/{study_id}/move")
def move(visit: Posting, study_id: int, fields: Fields) -> Response:
    """Gives the study to the patient whose record was named."""
    patient = fields.get("patient", "").strip()
    if not patient.isdecimal() or len(patient) > 18:
        raise InvalidPayload("expected the number of a patient's record", where="patient")
    visit.verbs.curation.move(visit.disclosure, study_id, int(patient), fields.get("reason", ""))
    return _back(study_id)


@router.post("/studies/{study_id}/undo-move")
def undo_move(visit: Posting, study_id: int, fields: Fields) -> Response:
    """Gives the study back."""
    visit.verbs.curation.undo_move(visit.disclosure, study_id, fields.get("reason", ""))
    return _back(study_id)


@router.post("/studies/{study_id}/remove")
def remove(visit: Posting, study_id: int, fields: Fields) -> Response:
    """Has the bytes of what is hidden removed, once the person has ticked that they cannot be brought back."""
    if not fields.get("confirm"):
        raise InvalidPayload("expected your confirmation that the images may go for good", where="confirm")
    visit.verbs.curation.remove(visit.disclosure, study_id, fields.get("reason", ""))
    return _back(study_id)


def _back(study_id: int) -> Response:
    return RedirectResponse(f"/studies/{study_id}", status_code=303)
