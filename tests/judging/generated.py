"""Random orders and results as plain facts, and the same facts as the hub knows them."""

import random
from dataclasses import replace
from typing import Any

from schemas.region import RegionRules, Tier
from schemas.verdict import Asked, Outcome, Prior

from .building import RULES, asked, item, prior
from .oracle import CLOCKS

_ITEMS = tuple(CLOCKS)
_CONTEXTS = ("emergency", "before-operation", "before-transfusion", "forensic")
_SETTINGS = ("outpatient", "inpatient", "acute")
_STATUSES = ("preliminary", "partial", "registered", "cancelled", "entered-in-error", "amended", "corrected")
_RESULT_STATUSES = ("preliminary", "cancelled", "corrected")
_MARKS = ("HH", "LL", "AA", "HU", "LU", "C", "H*", "L!", "危急值")
_BOTH_MISSING = ("laterality-missing", "announced-missing")
_RELATED = {"L-4548-4": "L-59261-8", "L-14749-6": "L-15074-8", "R-CT-CHEST": "R-CT-CHEST-C"}
_RELATED |= {other: one for one, other in _RELATED.items()}


def case(chance: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An order and one to four results; mostly of what was ordered, mostly sound, so that every advice occurs."""
    thing = chance.choice(_ITEMS)
    order = {
        "item": thing,
        "setting": chance.choice(_SETTINGS),
        "contexts": (chance.choice(_CONTEXTS),) if _rarely(chance) else (),
        "at": chance.choice(("DH02", "DH02", "CHC02", "CITY", "CHC01")),
        "side": chance.choice(("", "L", "R", "B")) if "KNEE" in thing else "",
        "tiers": _rarely(chance, 4),
        "mild": _rarely(chance, 4),
    }
    return order, [_result(chance, thing, number + 1) for number in range(chance.randint(1, 4))]


def _rarely(chance: random.Random, one_in: int = 12) -> bool:
    return chance.randrange(one_in) == 0


def _result(chance: random.Random, ordered: str, number: int) -> dict[str, Any]:
    thing = chance.choice((ordered, ordered, ordered, _RELATED.get(ordered, ordered)))
    if _rarely(chance, 40):
        thing = chance.choice(_ITEMS)
    window = chance.choice(CLOCKS[ordered][1]) * 60

    def seldom(usual: Any, *others: Any) -> Any:  # noqa: ANN401
        return chance.choice(others) if _rarely(chance) else usual

    return {
        "id": number,
        "item": thing,
        # On the edges of windows and intervals, and anywhere else.
        "age_min": seldom(
            chance.choice((window, window + 1, window - 1, chance.randint(0, 3 * window), chance.randint(0, window))),
            None,
            -4,
            -5,
            -6,
            -3000,
        ),
        "status": seldom("final", *_STATUSES),
        "result_status": seldom("final", *_RESULT_STATUSES) if thing.startswith("L-") else "final",
        "current": not _rarely(chance, 20),
        "doubtful": _rarely(chance, 25),
        "supplement": _rarely(chance, 30),
        "critical": _rarely(chance),
        "mark": chance.choice(_MARKS),
        "plain": chance.choice(("", "N", "H", "L", "A", "*", ">", "<")),
        "quality": seldom("passed", "failed", "suspended", "expired", "unknown"),
        "scope": chance.choice(("nation", "region", "province", "city", "district")),
        "issuer": seldom(chance.choice(("CHC01", "CHC02", "DH02")), "CITY", "AWAY"),
        "doubts": seldom((), ("contrast",), ("body-part",)) if thing.startswith("R-CT") else (),
        "side": chance.choice(("", "L", "R", "B")) if "KNEE" in thing else "",
        "specimen": seldom("", "尿液", "静脉血", "说不清"),
        "value": seldom("5.0", "", "见备注"),
        "unit_known": not _rarely(chance),
        "tracing": not _rarely(chance),
        "shown": seldom(40, 0),
        "grade": seldom("", "reject", "A", "B", "C"),
        "complete": not _rarely(chance, 20),
        "missing": seldom((), ("slices-missing",), ("laterality-missing",), _BOTH_MISSING),
        "hidden": seldom((), ("113001",), ("113037", "113001"), ("113038",), ("rejection-note",)),
    }


def as_hub(order: dict[str, Any], results: list[dict[str, Any]]) -> tuple[Asked, list[Prior], RegionRules]:
    """The same, in the hub's own values."""
    rules = replace(
        RULES,
        tier=Tier.HIGHER_BINDS if order["tiers"] else Tier.OFF,
        unassessed=Outcome.CAUTION if order["mild"] else Outcome.EXCLUDES,
    )
    made = asked(order["item"], order["setting"], at=order["at"], contexts=order["contexts"], laterality=order["side"])
    return made, [_prior(each) for each in results], rules


def _prior(said: dict[str, Any]) -> Prior:
    thing = item(said["item"])
    assert thing
    laboratory = said["item"].startswith("L-")
    report_flags = ("supplement",) * said["supplement"] + ("critical",) * (said["critical"] and not laboratory)
    same = ("status", "result_status", "current", "doubtful", "quality", "scope", "issuer", "doubts", "specimen")
    more = ("value", "tracing", "shown", "grade", "complete", "missing", "hidden", "id")
    return prior(
        said["item"],
        "" if said["age_min"] is None else f"{said['age_min']}m",
        flags=(said["mark"],) if said["critical"] else (said["plain"],),
        report_flags=report_flags,
        laterality=said["side"],
        unit_code=thing.unit if said["unit_known"] else "",
        **{name: said[name] for name in (*same, *more)},
    )
