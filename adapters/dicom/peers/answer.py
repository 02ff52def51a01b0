"""What was found as an answer that the asker can read. Source: DICOM PS3.4 C.4.1.1.3.2, PS3.3 C.12.1.1.2."""

from collections.abc import Iterable, Mapping

from pydicom import Dataset
from pydicom.dataelem import DataElement

from schemas.network import Level, Match

from .attributes import AVAILABILITY, RETRIEVE_AE_TITLE, Attribute
from .identifier import Identifier

UTF8 = "ISO_IR 192"
_CODECS = {UTF8: "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
_NUMBERS = {"IS", "US"}
# Who asks in GB 18030, or always writes it, reads it; all else that is not ASCII goes out as UTF-8.
_HABITS = {"gb18030": "GB18030", "gbk": "GB18030", "gb2312": "GB18030"}


class Answers:
    """Makes the answers to one query. ae_title: ours, from which what is found can be had. charset: as in a profile."""

    def __init__(self, identifier: Identifier, asked: Mapping[int, Attribute], ae_title: str, charset: str) -> None:
        self._level = identifier.level
        self._asked = asked
        self._keys = identifier.keys
        self._ae_title = ae_title
        self._charset = _wanted(identifier.charsets, charset)
        self._said = bool(identifier.charsets)

    def answer(self, values: Mapping[int, tuple[str, ...]]) -> Dataset:
        """values: of the attributes asked for, by tag."""
        dataset = Dataset()
        texts = [text for each in values.values() for text in each]
        term = self._charset if _fits(texts, _CODECS[self._charset]) else UTF8
        if self._said or not all(map(str.isascii, texts)):
            dataset.SpecificCharacterSet = term
        dataset.QueryRetrieveLevel = self._level.value
        dataset.RetrieveAETitle = self._ae_title
        if AVAILABILITY in self._keys:
            dataset.InstanceAvailability = "ONLINE"
        for tag, attribute in self._asked.items():
            dataset.add(DataElement(tag, attribute.vr, _value(attribute, values[tag])))
        return dataset

    @staticmethod
    def values(match: Match, attributes: Iterable[Attribute]) -> dict[int, tuple[str, ...]]:
        """What a match has of these attributes, as text."""
        return {each.tag: _texts(each.values(match)) for each in attributes}


def known(tag: int) -> bool:
    """Whether it is answered although it is none of the attributes of a level."""
    return tag in {RETRIEVE_AE_TITLE, AVAILABILITY}


def above(level: Level) -> tuple[Level, ...]:
    """The levels above."""
    levels = tuple(Level)
    return levels[: levels.index(level)]


def _texts(values: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(str(each) for each in values if each not in (None, ""))


def _value(attribute: Attribute, texts: tuple[str, ...]) -> object:
    if attribute.vr in _NUMBERS:
        numbers = [int(each) for each in texts]
        return numbers[0] if len(numbers) == 1 else (numbers or None)
    # A backslash would part the value in two.
    clean = [each if attribute.vr == "UI" else each.replace("\\", " ") for each in texts]
    return clean[0] if len(clean) == 1 else (clean or None)


def _wanted(charsets: tuple[str, ...], habit: str) -> str:
    for each in charsets:
        if each in _CODECS:
            return each
    return UTF8 if charsets else _HABITS.get(habit.lower(), UTF8)


def _fits(texts: Iterable[str], codec: str) -> bool:
    try:
        for each in texts:
            each.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
