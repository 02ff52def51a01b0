"""The list from which a radiologist works: studies with images, and what to know of each before it is opened."""

import datetime as dt
from dataclasses import dataclass

from .study import StudyContent, StudyRecord

# Nobody turns so many pages: whoever has more narrows the list, and is not made to wait for them to be counted.
MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class ListCriteria:
    """What is asked of the list. Empty fields do not restrict. since: the patient's clock.

    waiting: only what nobody has read. text: a name, pinyin or its initials, a Patient ID, an accession number.
    organization: code of the institution that made the images.
    """

    waiting: bool = True
    modality: str = ""
    organization: str = ""
    since: dt.datetime | None = None
    text: str = ""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """A line of the list. read: a final report speaks of it. priors: studies of the same person made before it."""

    record: StudyRecord
    read: bool
    content: StudyContent
    priors: int
