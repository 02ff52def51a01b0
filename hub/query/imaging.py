"""Studies, series and instances."""

from hub.access import Permission
from hub.disclosing import Asked
from schemas.disclosure import Action, Disclosure
from schemas.faults import NotFound
from schemas.paging import Page
from schemas.reading_list import ListCriteria, ListedStudy
from schemas.study import InstanceRecord, SeriesRecord, StudyCriteria, StudyRecord
from storage import reading_list, studies, study_content

from .reading import Reading

_READ = Permission.READ_REPORTS


class Imaging(Reading):
    """What QIDO-RS, ImagingStudy and the image pages ask."""

    def studies(self, disclosure: Disclosure, criteria: StudyCriteria) -> Page[StudyRecord]:
        """Studies that match, newest first, with what they hold."""
        with self._reading(disclosure, Action.SEARCH, "ImagingStudy", _READ, patient_id=criteria.patient_id) as asked:
            page = studies.search(asked.tx, disclosure, criteria)
            asked.shows(record.patient_id for record in page.items)
            return Page(study_content.described(asked.tx, disclosure, page.items), page.total, page.offset)

    def reading_list(self, disclosure: Disclosure, criteria: ListCriteria) -> Page[ListedStudy]:
        """Studies with images, newest first, for those who read them. Raises Forbidden for anybody else."""
        with self._reading(disclosure, Action.SEARCH, "ImagingStudy", Permission.READ_IMAGES) as asked:
            page = reading_list.search(asked.tx, disclosure, criteria)
            asked.shows(listed.record.patient_id for listed in page.items)
            asked.detail = "imaging reading list"
            return page

    def study(self, disclosure: Disclosure, study_id: int) -> StudyRecord:
        """Raises NotFound."""
        with self._reading(disclosure, Action.READ, f"ImagingStudy/{study_id}", _READ) as asked:
            found = studies.study(asked.tx, disclosure, study_id)
            asked.shows([found.patient_id])
            return found

    def opened(self, disclosure: Disclosure, patient_id: int, study_instance_uid: str) -> StudyRecord:
        """The person's study, which somebody opens to look at its images. Raises NotFound for another person's too."""
        entity = f"ImagingStudy?uid={study_instance_uid}"
        with self._reading(disclosure, Action.READ, entity, _READ, patient_id=patient_id) as asked:
            criteria = StudyCriteria(patient_id=patient_id, study_instance_uids=(study_instance_uid,), limit=1)
            found = studies.search(asked.tx, disclosure, criteria).items
            if not found:
                raise NotFound("no such study of this person", where="study")
            asked.entity, asked.detail = f"ImagingStudy/{found[0].id}", "opened in the viewer"
            return found[0]

    def series(self, disclosure: Disclosure, study_instance_uid: str) -> tuple[SeriesRecord, ...]:
        """The series of a study; none where there is no such study."""
        with self._reading(disclosure, Action.READ, f"ImagingStudy?uid={study_instance_uid}", _READ) as asked:
            asked.shows(_person(asked, disclosure, study_instance_uid))
            return studies.series(asked.tx, disclosure, study_instance_uid)

    def instances(
        self, disclosure: Disclosure, study_instance_uid: str, series_instance_uid: str = "", sop_instance_uid: str = ""
    ) -> tuple[InstanceRecord, ...]:
        """Where the instances of a study, of a series, or the one lie; none where there is no such."""
        uid = sop_instance_uid or series_instance_uid or study_instance_uid
        with self._reading(disclosure, Action.READ, f"ImagingStudy?uid={uid}", _READ) as asked:
            asked.shows(_person(asked, disclosure, study_instance_uid))
            return studies.instances(asked.tx, disclosure, study_instance_uid, series_instance_uid, sop_instance_uid)


def _person(asked: Asked, disclosure: Disclosure, study_instance_uid: str) -> list[int]:
    criteria = StudyCriteria(study_instance_uids=(study_instance_uid,), limit=1)
    return [record.patient_id for record in studies.search(asked.tx, disclosure, criteria).items]
