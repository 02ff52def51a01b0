from pynetdicom.status import code_to_category

from adapters.dicom.status import STATUS, SUCCESS, comment, status
from schemas.faults import FAULTS, Category, InvalidPayload


def test_every_category_has_a_status_that_a_sender_takes_for_a_failure() -> None:
    assert set(STATUS) == set(Category)
    assert len(set(STATUS.values())) == len(STATUS)
    assert {code_to_category(code) for code in STATUS.values()} == {"Failure"}
    assert all(status(FAULTS[category]("why")) == STATUS[category] for category in Category)
    assert status(None) == SUCCESS == 0


def test_comment_fits_its_element() -> None:
    text = comment(InvalidPayload("长" * 90 + "\\", where="(0010,0020)"))
    assert len(text) == 64
    assert text.isascii()
    assert text.startswith("(0010,0020): ?")
    assert "\\" not in text
