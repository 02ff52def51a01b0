"""What is hidden is in no answer, in no number, and still there."""

from pydicom.uid import generate_uid

from hub.access import disclosure_for
from schemas.study import Hidden, StudyCriteria
from storage import hiding, studies
from tests.api.dicomweb.bodies import store
from tests.imaging import AUDITOR, CLINICIAN, TECHNICIAN, ImagingHub, ct, part10


def test_a_hidden_instance_is_in_no_answer_and_counted_nowhere(hub: ImagingHub) -> None:
    first = ct()
    uid = first.StudyInstanceUID
    second = ct(StudyInstanceUID=uid, SeriesInstanceUID=generate_uid(), Modality="MR")
    with hub.client(TECHNICIAN) as technician:
        assert store(technician, part10(first), part10(second)).status_code == 200
    _hide(hub, uid, second.SOPInstanceUID)
    with hub.client(CLINICIAN) as clinician:
        (study,) = clinician.get("/studies", params={"StudyInstanceUID": uid}).json()
        assert study["00201208"]["Value"] == [1]
        assert study["00201206"]["Value"] == [1]
        assert study["00080061"]["Value"] == ["CT"]
        assert [s["0020000E"]["Value"] for s in clinician.get(f"/studies/{uid}/series").json()] == [
            [first.SeriesInstanceUID]
        ]
        (only,) = clinician.get(f"/studies/{uid}/metadata").json()
        assert only["00080018"]["Value"] == [first.SOPInstanceUID]
        gone = f"/studies/{uid}/series/{second.SeriesInstanceUID}"
        assert clinician.get(gone).status_code == 404
        assert clinician.get(f"{gone}/instances/{second.SOPInstanceUID}").status_code == 404
        assert clinician.get(f"{gone}/instances/{second.SOPInstanceUID}/rendered").status_code == 404
        _hide(hub, uid, first.SOPInstanceUID)
        assert clinician.get("/studies", params={"StudyInstanceUID": uid}).status_code == 204


def test_an_auditor_sees_that_it_exists_and_what_hid_it_and_it_can_come_back(hub: ImagingHub) -> None:
    ds = ct()
    with hub.client(TECHNICIAN) as technician:
        store(technician, part10(ds))
    _hide(hub, ds.StudyInstanceUID, ds.SOPInstanceUID)
    asker = disclosure_for(AUDITOR)
    with hub.verbs.database.write() as tx:
        criteria = StudyCriteria(study_instance_uids=(ds.StudyInstanceUID,))
        assert not studies.search(tx, asker, criteria).items
        (instance,) = studies.instances(tx, asker, ds.StudyInstanceUID, hidden=True)
        assert (instance.hidden, instance.hidden_by) == (Hidden.QUALITY, "Delivery/7")
        known = studies.known_study(tx, ds.StudyInstanceUID)
        assert known
        assert hiding.show(tx, known.id, "Delivery/7") == 1
        assert studies.study(tx, asker, known.id).instance_count == 1


def _hide(hub: ImagingHub, study_uid: str, sop_uid: str) -> None:
    with hub.verbs.database.write() as tx:
        known = studies.known_study(tx, study_uid)
        assert known
        assert hiding.hide(tx, known.id, [sop_uid], Hidden.QUALITY, "Delivery/7") == 1
