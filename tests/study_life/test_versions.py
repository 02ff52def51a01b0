"""Other content under a known SOP Instance UID: the first stays until a person, or the profile, says otherwise."""

import io
from dataclasses import replace

import httpx
import pytest
from pydicom import Dataset, dcmread
from sqlalchemy import select

from hub import audit
from hub.access import disclosure_for
from schemas.delivery import State
from schemas.disclosure import Principal, Role
from storage import organizations
from storage import tables as t
from tests.api.dicomweb.bodies import parts_of, store
from tests.imaging import CLINICIAN, OTHER_TECHNICIAN, TECHNICIAN, ImagingHub, ct, part10

ADMIN = Principal("admin", "管理员", Role.ADMIN, "BUREAU")


def test_a_person_accepts_the_second_as_a_new_version_and_the_first_is_kept(hub: ImagingHub) -> None:
    first, second = _twins()
    held = _held(hub, first, second)
    with hub.client(CLINICIAN) as clinician:
        assert _pixels(clinician, first) == first.PixelData
        assert hub.verbs.ingest.replay(disclosure_for(ADMIN), held).state is State.HELD
        assert hub.verbs.ingest.replay(disclosure_for(ADMIN), held, accept=True).state is State.INDEXED
        assert _pixels(clinician, first) == second.PixelData
        (header,) = clinician.get(f"/studies/{first.StudyInstanceUID}/metadata").json()
        assert header["00081030"]["Value"] == ["again"]
        (study,) = clinician.get("/studies", params={"StudyInstanceUID": first.StudyInstanceUID}).json()
        assert study["00201208"]["Value"] == [1]
    with hub.verbs.database.read() as tx:
        former = tx.execute(select(t.instance_version)).one()
    assert former.replaced_by == "admin"
    assert hub.verbs.objects.read(former.digest) == part10(first)


def test_what_was_replaced_changes_nothing_when_it_comes_once_more(hub: ImagingHub) -> None:
    first, second = _twins()
    hub.verbs.ingest.replay(disclosure_for(ADMIN), _held(hub, first, second), accept=True)
    with hub.client(OTHER_TECHNICIAN) as elsewhere, hub.client(CLINICIAN) as clinician:
        assert store(elsewhere, part10(first)).status_code == 200
        assert _pixels(clinician, first) == second.PixelData


def test_a_profile_accepts_new_versions_by_itself_of_its_own_sender(hub: ImagingHub) -> None:
    first, second = _twins()
    with hub.verbs.database.write() as tx:
        source = organizations.source(tx, "CHC01")
        assert source
        profile = replace(source.profile, new_versions=True)
        organizations.put_profile(tx, source.id, profile, saved_by="admin", now=audit.now())
    with hub.client(TECHNICIAN) as technician, hub.client(CLINICIAN) as clinician:
        assert store(technician, part10(first), part10(second)).status_code == 200
        assert _pixels(clinician, first) == second.PixelData
    third = ct(SOPInstanceUID=first.SOPInstanceUID, PixelData=bytes(512))
    with hub.client(OTHER_TECHNICIAN) as elsewhere:
        assert store(elsewhere, part10(third)).status_code == 409


@pytest.mark.parametrize("where", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_a_version_that_claims_to_belong_elsewhere_is_not_accepted(hub: ImagingHub, where: str) -> None:
    first, second = _twins()
    setattr(second, where, ct()[where].value)
    held = _held(hub, first, second)
    assert hub.verbs.ingest.replay(disclosure_for(ADMIN), held, accept=True).state is State.HELD


def _twins() -> tuple[Dataset, Dataset]:
    first = ct()
    uids = {k: first[k].value for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    return first, ct(**uids, PixelData=bytes(512), StudyDescription="again")


def _held(hub: ImagingHub, first: Dataset, second: Dataset) -> int:
    with hub.client(TECHNICIAN) as technician:
        assert store(technician, part10(first), part10(second)).status_code == 202
    with hub.verbs.database.read() as tx:
        return int(tx.scalar(select(t.delivery.c.id).where(t.delivery.c.state == State.HELD.value)) or 0)


def _pixels(client: httpx.Client, ds: Dataset) -> bytes:
    ((_, content),) = parts_of(client.get(f"/studies/{ds.StudyInstanceUID}"))
    return bytes(dcmread(io.BytesIO(content)).PixelData)
