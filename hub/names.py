"""How people search for a name: as written, by its given part, by pinyin, by initials."""

import re
from functools import lru_cache
from itertools import islice, product

from pypinyin import Style, lazy_pinyin, pinyin

from schemas.patient import PersonName, normal_name

# A name of rare characters has few readings; one of many heteronyms must not fill the index.
_READINGS = 8
# Nobody types more; what is no name, such as a document in its place, must hold up nobody and fit into an index.
_LONGEST = 100
_PARTS = re.compile(r"[\x00-\u2e80]+|[^\x00-\u2e80]+")


def search_keys(name: PersonName) -> set[str]:
    """Normal forms under each of which the name is found by prefix.

    王芳 is found by 王, 芳, wangfang, fang, wf. A character with several readings (单, 曾) is found by each of them.
    """
    text, latin = name.text[:_LONGEST], name.latin[:_LONGEST]
    written = normal_name(text)
    keys = {written, written[1:], normal_name(latin)}
    keys |= {normal_name(word) for word in latin.replace("^", " ").split()}
    if any(ord(character) > 0x2E80 for character in written):
        for reading in islice(product(*_syllables(written)), _READINGS):
            keys |= {"".join(reading), "".join(reading[1:]), "".join(syllable[0] for syllable in reading)}
    return {key for key in keys if key}


def _syllables(written: str) -> list[tuple[str, ...]]:
    """The readings of each character; whatever is no Chinese stands for itself, as one."""
    return [each for part in _PARTS.findall(written) for each in _readings(part)]


@lru_cache(maxsize=8192)
def _readings(part: str) -> tuple[tuple[str, ...], ...]:
    # The same names come again and again, and to look one up takes longer than to store a result.
    return tuple(map(tuple, pinyin(part, style=Style.NORMAL, heteronym=True, errors="default")))


def word_keys(text: str) -> set[str]:
    """Normal forms in which a term is searched: as written, by pinyin, by initials. 胸部CT: xiongbuct, xbct."""
    written = normal_name(text[:_LONGEST])
    keys = ("".join(lazy_pinyin(written, style=style)) for style in (Style.NORMAL, Style.FIRST_LETTER))
    return {key for key in (written, *keys) if key}
