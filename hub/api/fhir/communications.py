"""Communication: notices to the asker's institution that a report somebody there relied on has changed."""

from schemas.fhir import communication
from schemas.fhir.capability_statement import SearchParameter
from schemas.fhir.elements import Resource

from . import examples
from .call import Call
from .kinds import Found, Kind, Window
from .parameters import Parameters


def _read(call: Call, key: int) -> Resource:
    return communication.to_fhir(call.verbs.recall.notice(call.disclosure, key), call.links)


def _search(call: Call, asked: Parameters, window: Window) -> Found:
    keys, states = asked.ids(), asked.any_of("status")
    found = call.verbs.recall.inbox(call.disclosure, institution=True)
    matches = [communication.to_fhir(each, call.links) for each in found if not keys or each.id in keys]
    matches = [each for each in matches if not states or each["status"] in states]
    return Found(matches[window.offset : window.offset + window.count], len(matches))


KIND = Kind(
    name="Communication",
    documentation="A notice that a report which somebody of the institution reused or read has changed since.",
    example=examples.COMMUNICATION,
    search=_search,
    parameters=(SearchParameter("status", "token", "in-progress until acknowledged, then completed", "in-progress"),),
    read=_read,
)
