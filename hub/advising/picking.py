"""Finding what to order: by name, pinyin or its initials, code, and other names. Pure."""

from collections.abc import Iterable
from functools import lru_cache

from hub.names import word_keys
from schemas.analytes import plain
from schemas.catalogue import Item

# What is ordered every day, in the order of a doctor's hand.
COMMON = ("P-CBC", "P-LFT", "P-RFT", "P-ELEC", "P-LIPID", "L-14749-6", "L-4548-4", "P-TFT", "R-CT-CHEST", "E-REST12")


def search(items: Iterable[Item], text: str, limit: int = 12) -> tuple[Item, ...]:
    """Items of which some name begins with, or holds, what was typed; whole names and panels first."""
    typed = plain(text)
    if not typed:
        return ()
    scored = [
        (score, not item.members, place, item) for place, item in enumerate(items) if (score := _score(item, typed))
    ]
    return tuple(item for *_, item in sorted(scored, key=lambda each: (-each[0], *each[1:3]))[:limit])


def _score(item: Item, typed: str) -> int:
    best = 0
    for key in _keys(item.code, item.zh, item.en, item.also, tuple(each.code for each in item.codes)):
        if key == typed:
            return 4
        if key.startswith(typed):
            best = max(best, 3)
        elif len(typed) > 1 and typed in key:
            best = max(best, 2)
    return best


@lru_cache(maxsize=4096)
def _keys(code: str, zh: str, en: str, also: tuple[str, ...], codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset({*word_keys(zh), *map(plain, (code, zh, en, *also, *codes))} - {""})
