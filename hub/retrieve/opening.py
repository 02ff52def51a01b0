"""Opening stored instances: under a Disclosure, with one audit record for each request."""

from contextlib import AbstractContextManager

from hub.access import Permission
from hub.disclosing import Asked, disclosing
from hub.headers import Headers
from schemas.disclosure import Action, Disclosure
from schemas.faults import Internal, NotFound
from schemas.study import InstanceRecord, StudyCriteria
from storage import frames, studies
from storage.database import Database
from storage.frames import Located
from storage.objects import Objects


class Opening:
    """What every way to look at images begins with."""

    def __init__(self, database: Database, objects: Objects, headers: Headers | None = None) -> None:
        self._database = database
        self._objects = objects
        self._headers = headers

    def _find(
        self, disclosure: Disclosure, action: Action, study_uid: str, series_uid: str, sop_uid: str
    ) -> tuple[InstanceRecord, ...]:
        uid = sop_uid or series_uid or study_uid
        with self._opening(disclosure, action, uid) as asked:
            found = studies.instances(asked.tx, disclosure, study_uid, series_uid, sop_uid)
            self._shows(asked, disclosure, study_uid, uid, len(found))
        return found

    def _locate(self, disclosure: Disclosure, study_uid: str, series_uid: str, sop_uid: str, what: str) -> Located:
        with self._opening(disclosure, Action.READ, sop_uid) as asked:
            found = frames.located(asked.tx, disclosure, study_uid, series_uid, sop_uid)
            if found is None:
                raise NotFound("no such study, series or instance", where=sop_uid)
            asked.entity, asked.detail = f"ImagingStudy/{found.study_id}", what
            asked.shows([found.person_id])
        return found

    def _opening(self, disclosure: Disclosure, action: Action, uid: str) -> AbstractContextManager[Asked]:
        return disclosing(self._database, disclosure, action, f"ImagingStudy?uid={uid}", Permission.READ_REPORTS)

    @staticmethod
    def _shows(asked: Asked, disclosure: Disclosure, study_uid: str, uid: str, number: int) -> None:
        known = studies.search(asked.tx, disclosure, StudyCriteria(study_instance_uids=(study_uid,), limit=1)).items
        if not known or not number:
            raise NotFound("no such study, series or instance", where=uid)
        asked.entity = f"ImagingStudy/{known[0].id}"
        asked.detail = f"{number} instances"
        asked.shows([known[0].patient_id])

    def _made(self) -> Headers:
        if self._headers is None:
            raise Internal("this hub makes no headers of instances", where="metadata")
        return self._headers
