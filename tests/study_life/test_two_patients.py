"""The same study named with two patients at the same moment: one is taken, the other waits for a person."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
from pydicom import Dataset

from hub.access import disclosure_for
from schemas.study import StudyCriteria
from storage import studies
from tests.api.dicomweb.bodies import store
from tests.imaging import CLINICIAN, TECHNICIAN, ImagingHub, ct, part10


def test_one_of_two_patients_gets_the_study_whoever_is_quicker(hub: ImagingHub) -> None:
    with ThreadPoolExecutor(2) as pool, hub.client(TECHNICIAN) as one, hub.client(TECHNICIAN) as other:
        for _ in range(8):
            first = ct()
            second = ct(StudyInstanceUID=first.StudyInstanceUID, PatientID="P0009", PatientName="Wu^Ming=吴^明")
            together = Barrier(2)
            sent = [pool.submit(_send, each, ds, together) for each, ds in ((one, first), (other, second))]
            assert sorted(each.result() for each in sent) == [200, 409]
            with hub.verbs.database.read() as tx:
                criteria = StudyCriteria(study_instance_uids=(first.StudyInstanceUID,))
                (record,) = studies.search(tx, disclosure_for(CLINICIAN), criteria).items
            assert record.instance_count == 1


def _send(client: httpx.Client, ds: Dataset, together: Barrier) -> int:
    together.wait(10)
    return store(client, part10(ds)).status_code
