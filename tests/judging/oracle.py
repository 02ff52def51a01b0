"""The rules a second time, written from the domain page alone: one walk over plain facts, hours and words.

It knows nothing of the hub: no rule, no value type, no catalogue. Where the page gives a number it stands here again.
"""

from typing import Any

DAY = 24
# Hours: (too early for outpatients, for inpatients), (window for outpatients, inpatients, acute care). Where nobody
# published a window the region's default for the category holds.
LAB, IMAGE, TRACE = (7 * DAY, 3 * DAY, DAY), (15 * DAY, 15 * DAY, DAY), (7 * DAY, 3 * DAY, 6)
CLOCKS: dict[str, tuple[tuple[int, int] | None, tuple[int, int, int]]] = {
    "L-718-7": ((12, 24), LAB),
    "L-2823-3": ((12, 24), (7 * DAY, 7 * DAY, DAY)),
    "L-2951-2": ((12, 24), (7 * DAY, 7 * DAY, DAY)),
    "L-4548-4": ((40 * DAY, 40 * DAY), (60 * DAY, 60 * DAY, DAY)),
    "L-59261-8": ((40 * DAY, 40 * DAY), (60 * DAY, 60 * DAY, DAY)),
    "L-2276-4": ((21 * DAY, 21 * DAY), (30 * DAY, 30 * DAY, DAY)),
    "L-14749-6": ((12, 24), (30 * DAY, 30 * DAY, DAY)),
    "L-15074-8": ((12, 24), (30 * DAY, 30 * DAY, DAY)),
    "L-883-9": ((12, 24), LAB),
    "R-CT-CHEST": (None, IMAGE),
    "R-CT-CHEST-C": (None, IMAGE),
    "R-MR-KNEE": (None, IMAGE),
    "E-REST12": (None, TRACE),
}
NEVER_ACUTE = {"L-2823-3", "L-14749-6", "L-15074-8"}
FAST = {"L-2823-3", "L-14749-6", "L-15074-8", "E-REST12"}
TWINS = [{"L-4548-4", "L-59261-8"}, {"L-14749-6", "L-15074-8"}, {"R-CT-CHEST", "R-CT-CHEST-C"}]
# How far an item's own mark can reach at most, and where institutions lie.
REACH = ["nation", "region", "province", "city", "district"]
MOST = {"L-883-9": "district", "L-15074-8": "district"} | dict.fromkeys(
    ("R-CT-CHEST", "R-CT-CHEST-C", "R-MR-KNEE", "E-REST12"), "city"
)
HOME = {"CHC01": "district", "CHC02": "district", "DH02": "district", "CITY": "city", "AWAY": "nation"}
RANK = {"CHC01": 1, "CHC02": 1, "DH02": 2, "CITY": 3, "AWAY": 0}


def opinion(order: dict[str, Any], result: dict[str, Any], others: list[dict[str, Any]]) -> tuple[str, set[str]]:
    """The advice, and every ground for it."""
    no, care = set[str](), set[str]()
    _never(order, result, no, care)
    _clock(order, result, no)
    _comparable(order, result, no, care)
    _pictures(result, no, care)
    _later(order, result, others, no, care)
    _binding(order, result, care)
    if order["item"] in FAST:
        care.add("changes-slowly")
    if no:
        return "not-suggested", no
    return ("reusable-with-caution", care) if care else ("reusable", {"still-valid", "too-early-to-repeat"})


def _never(order: dict[str, Any], result: dict[str, Any], no: set[str], care: set[str]) -> None:
    # "Emergency; before operation or transfusion; forensic; critical; preliminary, cancelled, superseded; identity not
    # certain; issuer's quality record failed or expired at sampling time; ... item not in the catalogue."
    for context, name in (
        ("emergency", "no-emergency"),
        ("before-operation", "not-before-operation"),
        ("before-transfusion", "not-before-transfusion"),
        ("forensic", "not-forensic"),
    ):
        if context in order["contexts"]:
            no.add(name)
    if result["critical"]:
        no.add("not-critical")
    if result["status"] in ("cancelled", "entered-in-error") or result["result_status"] in (
        "cancelled",
        "entered-in-error",
    ):
        no.add("not-withdrawn")
    if result["status"] not in ("final", "amended", "corrected") or result["result_status"] == "preliminary":
        no.add("status-settled")
    if not result["current"]:
        no.add("current-version")
    if result["doubtful"]:
        no.add("identity-certain")
    if result["quality"] != "passed":
        (care if result["quality"] == "unknown" and order["mild"] else no).add("quality-passed")
    if order["item"] in NEVER_ACUTE and order["setting"] == "acute":
        no.add("allowed-in-setting")
    if "L-883-9" in (order["item"], result["item"]):
        no.add("more-than-information")
    if result["supplement"]:
        no.add("is-a-report")


def _clock(order: dict[str, Any], result: dict[str, Any], no: set[str]) -> None:
    # "Both run from sampling or acquisition time, never from report time."
    minutes = result["age_min"]
    if minutes is None:
        no.add("sampling-known")
        return
    if minutes < -5:
        no.add("sampled-before-order")
    window = CLOCKS[order["item"]][1][("outpatient", "inpatient", "acute").index(order["setting"])]
    if minutes > window * 60:
        no.add("still-valid")


def _comparable(order: dict[str, Any], result: dict[str, Any], no: set[str], care: set[str]) -> None:
    if order["item"] != result["item"]:
        twins = any(order["item"] in pair and result["item"] in pair for pair in TWINS)
        (care if twins else no).add("same-item")
    if "body-part" in result["doubts"]:
        no.add("same-item")
    if "contrast" in result["doubts"]:
        care.add("same-item")
    mine, theirs = order["side"], result["side"]
    if mine and theirs:
        if theirs not in (mine, "B"):
            no.add("same-side")
    elif mine or theirs:
        care.add("same-side")
    if not result["item"].startswith("L-"):
        return
    if result["specimen"] == "尿液":
        no.add("same-specimen")
    if result["value"] == "":
        no.add("result-there")
    elif not result["value"].replace(".", "").isdigit():
        care.update({"same-unit"} if result["item"] != "L-883-9" else ())
    if not result["unit_known"] and result["item"] != "L-883-9" and result["value"]:
        care.add("same-unit")


def _pictures(result: dict[str, Any], no: set[str], care: set[str]) -> None:
    if result["item"].startswith("E-") and not result["tracing"]:
        no.add("result-there")
    if not result["item"].startswith("R-"):
        return
    if not result["shown"]:
        no.add("result-there")
    # "image quality graded unacceptable or incomplete"
    if result["grade"] == "reject":
        no.add("images-acceptable")
    if result["grade"] == "C":
        care.add("images-acceptable")
    if not result["complete"] or set(result["missing"]) - {"laterality-missing"}:
        no.add("images-complete")
    elif result["missing"]:
        care.add("images-complete")
    if {"113037", "113038"} & set(result["hidden"]):
        no.add("images-not-rejected")
    elif "113001" in result["hidden"]:
        care.add("images-not-rejected")


def _later(
    order: dict[str, Any], result: dict[str, Any], others: list[dict[str, Any]], no: set[str], care: set[str]
) -> None:
    if result["age_min"] is None:
        return
    for other in others:
        related = other["item"] == order["item"] or any({other["item"], order["item"]} <= pair for pair in TWINS)
        alive = other["current"] and not {other["status"], other["result_status"]} & {"cancelled", "entered-in-error"}
        timed = other["age_min"] is not None and -5 <= other["age_min"] < result["age_min"]
        sides = {result["side"], other["side"]} - {""}
        if related and alive and timed and len(sides) < 2 and _related(order, result):
            (no if other["critical"] else care).add("newest")


def _related(order: dict[str, Any], result: dict[str, Any]) -> bool:
    return result["item"] == order["item"] or any({result["item"], order["item"]} <= pair for pair in TWINS)


def _binding(order: dict[str, Any], result: dict[str, Any], care: set[str]) -> None:
    # "Institutions recognise what is marked for the nation or for their own region."
    if result["issuer"] == order["at"]:
        return
    if result["quality"] == "passed":
        mark = max(result["scope"], MOST.get(result["item"], "province"), key=REACH.index)
        if any(REACH.index(HOME[each]) < REACH.index(mark) for each in (result["issuer"], order["at"])):
            care.add("mark-reaches")
    # "a lower tier accepts a higher one; equals accept equals: a setting"
    if order["tiers"] and RANK[result["issuer"]] < RANK[order["at"]]:
        care.add("tier-binds")
