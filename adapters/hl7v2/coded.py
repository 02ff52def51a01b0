"""CE, CWE and CNE: a code, perhaps with its twin in another system. Source: HL7 v2 chapter 2A, table 0396."""

from collections.abc import Sequence
from functools import lru_cache

from schemas.codes import LOINC, Coding, is_shared, system_uri

from .context import LONGEST_TOKEN, Context
from .delimiters import Delimiters
from .escapes import unescape

# Table 0396 names under which a laboratory keeps codes of its own: they mean something there and nowhere else.
_OWN = frozenset({"", "L", "LOCAL", "99ZZZ"})


def coding(raw: str, context: Context) -> Coding:
    """The code of a field's first repetition; LOINC where the source sends it beside its own code."""
    message = context.message
    return _coding(raw, message.delimiters, message.decoded.escape_codec, context.origin.source.organization)


@lru_cache(maxsize=4096)
def _cached(raw: str, delimiters: Delimiters, codec: str, organization: str) -> Coding:
    repetition = delimiters.split(raw, delimiters.repetition)[0]
    parts = [
        unescape(part, delimiters, codec).strip().strip('"')
        for part in delimiters.split(repetition, delimiters.component)
    ]
    return best(parts, organization)


def _coding(raw: str, delimiters: Delimiters, codec: str, organization: str) -> Coding:
    # Codes repeat from message to message; long texts in a code's place would only fill the cache.
    read = _cached if len(raw) <= LONGEST_TOKEN else _cached.__wrapped__
    return read(raw, delimiters, codec, organization)


def best(parts: Sequence[str], organization: str) -> Coding:
    """The code among the two triplets (code, text, system) that says most; the source's own words for it.

    Codes of the source's own making are put into a system of its own, so that they meet no other's.
    """
    parts = [*parts, *[""] * 6][:6]
    own, twin = _triplet(parts[:3], organization), _triplet(parts[3:], organization)
    chosen = own
    if twin.code and (not own.code or (twin.system == LOINC and own.system != LOINC)):
        chosen = twin
    display = own.display or twin.display
    if not chosen.code:
        # A text without a code still names what was done.
        return Coding(display[:LONGEST_TOKEN], display, system_uri(organization)) if display else chosen
    return Coding(chosen.code, display, chosen.system)


def _triplet(parts: Sequence[str], organization: str) -> Coding:
    code, display, system = parts
    if system.upper() in _OWN:
        system = organization
    elif not is_shared(system) and system.partition(":")[0] != organization:
        # Another laboratory may have hit upon the same letters, for other codes. What we wrote comes back as it was.
        system = f"{organization}:{system}"
    return Coding(code[:LONGEST_TOKEN], display, system_uri(system))
