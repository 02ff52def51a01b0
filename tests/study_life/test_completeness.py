"""When a study is complete, what is said of it then, and what is missing in it."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import select

from adapters import dicom
from hub import audit
from hub.access import disclosure_for
from hub.archive.steps import Steps
from hub.completeness import Completeness, completed
from hub.headers import Headers
from hub.image_quality import missing_slices
from schemas.delivery import Channel, Claim, Format
from schemas.documents import from_json
from schemas.image_quality import Check, Finding, Shortcoming
from schemas.network import ProcedureStep, StepMessage, StepState
from storage import studies
from storage import tables as t
from tests.api.dicomweb.bodies import store
from tests.imaging import CLINICIAN, TECHNICIAN, ImagingHub, ct, part10
from tests.study_life.notes import note, slices

QUIET = dt.timedelta(seconds=60)


class Clock:
    """Ours, moved by hand."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return audit.now() + self.ahead


def test_a_study_is_complete_once_after_a_quiet_while_and_once_more_when_it_has_grown(hub: ImagingHub) -> None:
    clock = Clock()
    one, other = _worker(hub, clock), _worker(hub, clock)
    images = slices(2)
    _send(hub, images[0])
    assert one.round() == 0
    assert not _complete(hub, images)
    clock.ahead += QUIET
    assert (one.round(), other.round(), one.round()) == (1, 0, 0)
    assert _complete(hub, images)
    _send(hub, images[1])
    assert not _complete(hub, images)
    clock.ahead += QUIET
    # A worker that begins only now, as after a restart, knows no less.
    assert (_worker(hub, clock).round(), one.round()) == (1, 0)
    assert [(e["instances"], e["missing"]) for e in _told(hub, "study.complete")] == [(1, 0)]
    assert [(e["instances"], e["missing"]) for e in _told(hub, "study.grown")] == [(2, 0)]


def test_the_same_again_and_a_rejection_make_no_study_grow(hub: ImagingHub) -> None:
    clock = Clock()
    worker, images = _worker(hub, clock), slices(2)
    _send(hub, *images)
    clock.ahead += QUIET
    assert worker.round() == 1
    _send(hub, images[0], note("113001", images[:1]))
    clock.ahead += QUIET
    assert worker.round() == 0


def test_a_modality_that_lists_what_it_made_is_believed_at_once(hub: ImagingHub) -> None:
    worker, images = _worker(hub, Clock()), slices(3)
    _send(hub, *images[:2])
    with hub.verbs.database.write() as tx:
        uids = [each.SOPInstanceUID for each in images]
        completed(tx, images[0].StudyInstanceUID, "1.2.3.4", uids[:2], audit.now())
        completed(tx, images[0].StudyInstanceUID, "1.2.3.4", uids, audit.now())
    assert worker.round() == 0
    _send(hub, images[2])
    assert worker.round() == 1
    assert _told(hub, "study.complete")[0]["missing"] == 0


def test_a_performed_procedure_step_that_is_completed_makes_its_study_complete(hub: ImagingHub) -> None:
    worker, images = _worker(hub, Clock()), slices(2)
    origin = hub.verbs.ingest.identify(Claim(Channel.C_STORE, "CHC01", "127.0.0.1"))
    steps, uid = Steps(hub.verbs.database), generate_uid()
    message = StepMessage("N-SET", "1.2.840.10008.1.2", b"")
    begun = ProcedureStep(uid, StepState.IN_PROGRESS, images[0].StudyInstanceUID)
    steps.create_step(origin, begun, message)
    _send(hub, *images)
    assert worker.round() == 0
    made = tuple(image.SOPInstanceUID for image in images)
    steps.set_step(origin, uid, replace(begun, state=StepState.COMPLETED, sop_instance_uids=made), message)
    assert worker.round() == 1


def test_what_was_announced_and_never_came_is_told(hub: ImagingHub) -> None:
    clock = Clock()
    worker, images = _worker(hub, clock), slices(3)
    with hub.verbs.database.write() as tx:
        completed(tx, images[0].StudyInstanceUID, "1.2.3", [each.SOPInstanceUID for each in images], audit.now())
    _send(hub, *images[:2])
    clock.ahead += QUIET
    assert worker.round() == 1
    assert _told(hub, "study.complete")[0]["missing"] == 1
    assert _check(hub, images).findings == (Finding(Shortcoming.ANNOUNCED, "", 1),)


def test_missing_slices_are_found_by_where_the_others_lie(hub: ImagingHub) -> None:
    clock = Clock()
    worker, images = _worker(hub, clock), slices(8)
    _send(hub, *images[:3], *images[5:])
    clock.ahead += QUIET
    worker.round()
    found = _check(hub, images)
    assert found == Check(6, (Finding(Shortcoming.SLICES, images[0].SeriesInstanceUID, 2),))


def test_a_hand_without_its_side_is_told_and_a_chest_is_not(hub: ImagingHub) -> None:
    clock = Clock()
    worker, uid = _worker(hub, clock), generate_uid()
    hand = ct(StudyInstanceUID=uid, Modality="DX", BodyPartExamined="HAND")
    other = ct(StudyInstanceUID=uid, Modality="DX", BodyPartExamined="HAND", ImageLaterality="L")
    chest = ct(StudyInstanceUID=uid, Modality="DX")
    _send(hub, hand, other, chest)
    clock.ahead += QUIET
    worker.round()
    assert _check(hub, [hand]).findings == (Finding(Shortcoming.LATERALITY, hand.SeriesInstanceUID),)


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [([1, 2, 3, 4], 0), ([1, 2, 4, 5, 6], 1), ([1, 2], 0), ([1, 101, 201, 301], 0), ([3, 4, 5, 9], 3)],
)
def test_where_no_position_is_told_numbers_must_do(numbers: list[int], missing: int) -> None:
    assert missing_slices([{"00200013": {"vr": "IS", "Value": [n]}} for n in numbers]) == missing


def test_phases_in_the_same_place_and_localizers_are_no_gap() -> None:
    def one(number: int, place: float, across: list[float]) -> dict[str, object]:
        return {
            "00200013": {"vr": "IS", "Value": [number]},
            "00200032": {"vr": "DS", "Value": [0, 0, place]},
            "00200037": {"vr": "DS", "Value": across},
        }

    axial, sagittal = [1.0, 0, 0, 0, 1, 0], [0.0, 1, 0, 0, 0, -1]
    assert missing_slices([one(n, n % 3 * 5, axial) for n in range(6)]) == 0
    assert missing_slices([one(n, n * 50.0, axial if n % 2 else sagittal) for n in range(6)]) == 0
    assert missing_slices([one(n, n * 5.0 + (n > 2) * 5, axial) for n in range(6)]) == 1


def _worker(hub: ImagingHub, clock: Clock) -> Completeness:
    headers = Headers(hub.verbs.database, hub.verbs.objects, dicom.ADAPTER.describers[Format.DICOM])
    return Completeness(hub.verbs.database, QUIET, headers.ensure, clock)


def _send(hub: ImagingHub, *sent: Dataset) -> None:
    with hub.client(TECHNICIAN) as client:
        assert store(client, *map(part10, sent)).status_code == 200


def _complete(hub: ImagingHub, images: list[Dataset]) -> bool:
    with hub.verbs.database.read() as tx:
        known = studies.known_study(tx, images[0].StudyInstanceUID)
        assert known
        return studies.study(tx, disclosure_for(CLINICIAN), known.id).complete


def _check(hub: ImagingHub, images: list[Dataset]) -> Check:
    with hub.verbs.database.read() as tx:
        known = studies.known_study(tx, images[0].StudyInstanceUID)
        assert known
        query = select(t.study_quality.c.document).where(t.study_quality.c.study_id == known.id)
        return from_json(Check, tx.scalars(query.order_by(t.study_quality.c.id.desc())).first() or b"")


def _told(hub: ImagingHub, topic: str) -> list[dict[str, object]]:
    with hub.verbs.database.read() as tx:
        query = select(t.outbox.c.payload).where(t.outbox.c.topic == topic).order_by(t.outbox.c.id)
        return [json.loads(payload) for payload in tx.scalars(query)]
