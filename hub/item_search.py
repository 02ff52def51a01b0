"""How people look for an item of the catalogue: by code, by any of its names, by pinyin and its initials."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

from hub.names import word_keys
from schemas.catalogue import Catalogue, Item, ItemVersion

# Names less alike than this share no more than a word such as 检查.
_ALIKE = 0.45


def ranked(versions: Iterable[ItemVersion], text: str) -> list[ItemVersion]:
    """Those that answer every word of the text, the best first, else in their order."""
    words = text.casefold().split()
    scored: list[tuple[int, int, ItemVersion]] = []
    for place, version in enumerate(versions):
        ranks = [_rank(version.item, word) for word in words]
        if None not in ranks:
            scored.append((max((rank for rank in ranks if rank is not None), default=0), place, version))
    return [version for _, _, version in sorted(scored, key=lambda each: each[:2])]


def _rank(item: Item, word: str) -> int | None:
    """How well an item answers one word: 0 exactly, 1 at the beginning, 2 somewhere; None not at all."""
    keys = _keys(item.code, item.zh, item.en, item.also)
    if word in keys:
        return 0
    if any(key.startswith(word) for key in keys):
        return 1
    return 2 if any(word in key for key in keys) else None


@lru_cache(maxsize=8192)
def _keys(code: str, zh: str, en: str, also: tuple[str, ...]) -> frozenset[str]:
    written = {code.casefold(), code.casefold().partition("-")[2], zh.casefold(), en.casefold()}
    return frozenset(written | {each.casefold() for each in also} | word_keys(zh))


def resembling(catalogue: Catalogue, name: str, limit: int = 8) -> tuple[Item, ...]:
    """Items whose names look like one that an institution uses, the likeliest first."""
    matcher = SequenceMatcher(b=name.casefold(), autojunk=False)
    scored = []
    for place, item in enumerate(catalogue.items.values()):
        score = 0.0
        for known in (item.zh, *item.also):
            matcher.set_seq1(known.casefold())
            if matcher.real_quick_ratio() > max(score, _ALIKE) and matcher.quick_ratio() > max(score, _ALIKE):
                score = max(score, matcher.ratio())
        if score > _ALIKE:
            scored.append((-score, place, item))
    return tuple(item for _, _, item in sorted(scored, key=lambda each: each[:2])[:limit])
