"""What QIDO-RS asks, in one transaction and with one audit record for each person who is shown."""

from collections.abc import Callable, Iterator
from itertools import islice

from sqlalchemy import Connection

from hub.access import Permission
from schemas.disclosure import Action, Disclosure
from schemas.study import StudyCriteria, StudyRecord
from storage import searching, studies
from storage.searching import Found

from .reading import Reading

# So many studies are looked through for what no index finds; who asks is told that there may be more.
MOST_STUDIES = 5000
LEVELS = ("studies", "series", "instances")


class Searching(Reading):
    """Studies, series and instances by any of their attributes."""

    def find(
        self,
        disclosure: Disclosure,
        level: str,
        criteria: StudyCriteria,
        matches: Callable[[Found], bool],
        *,
        series_uid: str = "",
        fuzzy: bool = False,
        headers: bool = False,
    ) -> tuple[list[Found], bool]:
        """A page of matches at `level`, one of LEVELS, and whether there are more. criteria: with the page.

        matches: decides on what SQL does not. headers: what it looks at, or the asker wants, stands in the header.
        """
        with self._reading(disclosure, Action.SEARCH, "ImagingStudy", Permission.READ_REPORTS) as asked:
            looked = islice(searching.studies_matching(asked.tx, disclosure, criteria, fuzzy=fuzzy), MOST_STUDIES)
            candidates = _at(asked.tx, disclosure, level, looked, series_uid, headers=headers)
            wanted = (found for found in candidates if matches(found))
            page = list(islice(wanted, criteria.offset, criteria.offset + criteria.limit + 1))
            shown = page[: criteria.limit]
            asked.shows(found.study.patient_id for found in shown)
            return shown, len(page) > criteria.limit


def _at(
    tx: Connection, disclosure: Disclosure, level: str, looked: Iterator[StudyRecord], series_uid: str, *, headers: bool
) -> Iterator[Found]:
    for study in looked:
        several = searching.series_of(tx, disclosure, study) if level != "studies" or headers else []
        several = [each for each in several if series_uid in {"", each.series.series_instance_uid}]
        first = searching.headers_of(tx, disclosure, series_ids=[s.id for s in several]) if headers and several else {}
        if level == "studies":
            yield Found(study, header=next(iter(first.values()), b""))
        elif level == "series":
            yield from (Found(study, one, header=first.get(one.id, b"")) for one in several)
        else:
            above = {one.series.series_instance_uid: one for one in several}
            uid = study.study.study_instance_uid
            instances = studies.instances(tx, disclosure, uid, series_uid)
            made = searching.headers_of(tx, disclosure, instance_ids=[i.id for i in instances]) if headers else {}
            for each in instances:
                yield Found(study, above[each.series_instance_uid], each, made.get(each.id, b""))
