"""Hand-made cases: why a clinician would say so, the order, the prior results, the expected advice, and what decides.

The first of the results is judged; the others are there as well. District hospital DH02 orders as an outpatient
unless it is said otherwise; the community centre CHC01 issued, passed and marked for the district.
"""

from dataclasses import replace
from typing import Any

from schemas.region import Tier
from schemas.verdict import Advice, Outcome, Rule

from .building import RULES, asked, prior

OK, CARE, NO = Advice.REUSABLE, Advice.WITH_CAUTION, Advice.NOT_SUGGESTED
R = Rule
HB, K, NA, A1C, A1C_IFCC, GLU, GLU_POC = (
    "L-718-7",
    "L-2823-3",
    "L-2951-2",
    "L-4548-4",
    "L-59261-8",
    "L-14749-6",
    "L-15074-8",
)
TNI, ABO, TSH, FER, CRP, HSCRP = "L-10839-9", "L-883-9", "L-3016-3", "L-2276-4", "L-1988-5", "L-30522-7"
CT, CT_C, KNEE, DX, ECG = "R-CT-CHEST", "R-CT-CHEST-C", "R-MR-KNEE", "R-DX-CHEST", "E-REST12"
BINDS = replace(RULES, tier=Tier.HIGHER_BINDS)
MILD = replace(RULES, unassessed=Outcome.CAUTION)
STRICT = replace(RULES, unreached=Outcome.EXCLUDES)

# fmt: off
# ruff: noqa: E501 - a case is a line of a table
# (why, order, results, advice, rule that decides[, the region's rules])
CASES: list[tuple[Any, ...]] = [
    # what mutual recognition is for
    ("yesterday's haemoglobin of the community centre answers today's question", asked(), [prior()], OK, R.WINDOW),
    ("six days are within the week that holds for outpatients", asked(), [prior(age="6d")], OK, R.WINDOW),
    ("on the last minute of the window it still holds: the window includes its end", asked(), [prior(age="7d")], OK, R.WINDOW),
    ("a minute later it does not: blood counts move", asked(), [prior(age="10081m")], NO, R.WINDOW),
    ("an amended report is final: its source stands by it", asked(), [prior(status="amended")], OK, R.WINDOW),
    ("a corrected report is final, in its corrected version", asked(), [prior(status="corrected", version=2)], OK, R.WINDOW),
    ("a corrected single result is settled", asked(), [prior(result_status="corrected")], OK, R.WINDOW),
    ("an abnormal but not critical value is as good as a normal one", asked(), [prior(flags=("L",))], OK, R.WINDOW),
    # too early to repeat: a repeat would tell nothing new
    ("a count of this morning: marrow does not change in three hours", asked(), [prior(age="3h")], OK, R.EARLY),
    ("twelve hours later a repeat may tell something", asked(), [prior(age="12h")], OK, R.WINDOW),
    ("an inpatient's count is repeated no sooner than after a day", asked(setting="inpatient"), [prior(age="20h")], OK, R.EARLY),
    ("HbA1c is the mean of months: 39 days are too early", asked(A1C), [prior(A1C, "39d")], OK, R.EARLY),
    ("after 40 days it may be repeated, and still holds for 60", asked(A1C), [prior(A1C, "45d")], OK, R.WINDOW),
    ("after 61 days nobody steers diabetes by it", asked(A1C), [prior(A1C, "61d")], NO, R.WINDOW),
    ("thyroid function takes weeks to settle: 20 days are too early", asked(TSH), [prior(TSH, "20d")], OK, R.EARLY),
    ("thyroid function after 29 days: both clocks have run out", asked(TSH), [prior(TSH, "29d")], NO, R.WINDOW),
    ("ferritin moves slowly: 10 days are too early", asked(FER), [prior(FER, "10d")], OK, R.EARLY),
    ("ferritin at 25 days holds a month", asked(FER), [prior(FER, "25d")], OK, R.WINDOW),
    ("ferritin at 31 days is past it", asked(FER), [prior(FER, "31d")], NO, R.WINDOW),
    ("in acute care no retest interval holds: the patient changes", asked(setting="acute"), [prior(age="3h")], OK, R.WINDOW),
    # the same age in another setting
    ("three days are the limit for an inpatient's count", asked(setting="inpatient"), [prior(age="3d")], OK, R.WINDOW),
    ("four days are too old for an inpatient, who is ill", asked(setting="inpatient"), [prior(age="4d")], NO, R.WINDOW),
    ("a day is the limit in acute care", asked(setting="acute"), [prior(age="24h")], OK, R.WINDOW),
    ("25 hours are too old in acute care", asked(setting="acute"), [prior(age="25h")], NO, R.WINDOW),
    ("sodium holds a week for outpatients", asked(NA), [prior(NA, "7d")], OK, R.WINDOW),
    ("sodium of eight days ago does not", asked(NA), [prior(NA, "8d")], NO, R.WINDOW),
    # windows run from sampling, never from the report
    ("drawn eight days ago and reported today is eight days old", asked(), [prior(age="8d", issued="1h")], NO, R.WINDOW),
    ("drawn yesterday and reported now is a day old", asked(), [prior(age="1d", issued="0h")], OK, R.WINDOW),
    ("a sample time that was never told: its age is unknown, whatever the report's date", asked(), [prior(age="", issued="1h")], NO, R.SAMPLED),
    ("a result drawn at another hour than its report tells its own time", asked(), [prior(age="8d", own_time=True)], NO, R.WINDOW),
    ("a sample drawn tomorrow is a wrong clock or a wrong patient", asked(), [prior(age="-1d")], NO, R.FUTURE),
    ("three minutes ahead are two clocks that differ", asked(), [prior(age="-3m")], OK, R.EARLY),
    ("six minutes ahead are more than clocks differ", asked(), [prior(age="-6m")], NO, R.FUTURE),
    # identity
    ("a doubtful identity may be somebody else's blood", asked(), [prior(doubtful=True)], NO, R.IDENTITY),
    ("doubt about the patient goes before everything else that is wrong", asked(), [prior(doubtful=True, status="preliminary", age="90d")], NO, R.IDENTITY),
    # status
    ("a preliminary result may still change", asked(), [prior(status="preliminary")], NO, R.SETTLED),
    ("a partial report waits for the rest", asked(), [prior(status="partial")], NO, R.SETTLED),
    ("a registered report says nothing yet", asked(), [prior(status="registered")], NO, R.SETTLED),
    ("a preliminary value within a final report is not confirmed", asked(), [prior(result_status="preliminary")], NO, R.SETTLED),
    ("a cancelled report is nobody's result", asked(), [prior(status="cancelled")], NO, R.WITHDRAWN),
    ("entered in error: it may be another patient's", asked(), [prior(status="entered-in-error")], NO, R.WITHDRAWN),
    ("a single value taken back by its laboratory: haemolysed", asked(), [prior(result_status="cancelled")], NO, R.WITHDRAWN),
    ("a value entered in error within a good report", asked(), [prior(result_status="entered-in-error")], NO, R.WITHDRAWN),
    ("a version that was replaced shows the value that was wrong", asked(), [prior(current=False)], NO, R.CURRENT),
    ("a superseded preliminary version is first of all superseded", asked(), [prior(current=False, status="preliminary")], NO, R.CURRENT),
    # critical values
    ("potassium critically low must be acted on, not reused", asked(K), [prior(K, "2h", flags=("LL",))], NO, R.CRITICAL),
    ("a critically high value as well", asked(K), [prior(K, "2h", flags=("HH",))], NO, R.CRITICAL),
    ("critically abnormal without a direction as well", asked(), [prior(flags=("AA",))], NO, R.CRITICAL),
    ("significantly low: more than low, and a laboratory may say it in place of critical", asked(K), [prior(K, "2h", flags=("LU",))], NO, R.CRITICAL),
    ("significantly high as well: glucose of 30 is not ticked off", asked(GLU), [prior(GLU, "2h", flags=("HU",))], NO, R.CRITICAL),
    ("a laboratory's own C stands for critical", asked(K), [prior(K, "2h", flags=("C",))], NO, R.CRITICAL),
    ("a laboratory's own word 危急 among others", asked(K), [prior(K, "2h", flags=("危急值(低)",))], NO, R.CRITICAL),
    ("panic low, as old systems write it", asked(K), [prior(K, "2h", flags=("PL",))], NO, R.CRITICAL),
    ("beyond the measuring range is no panic by itself: a suppressed TSH", asked(TSH), [prior(TSH, flags=("<",))], OK, R.EARLY),
    ("one star is how printers say abnormal", asked(), [prior(flags=("*",))], OK, R.WINDOW),
    ("a report that its laboratory flagged critical as a whole", asked(), [prior(report_flags=("critical",))], NO, R.CRITICAL),
    ("a CT reported critical: aortic dissection is not to be ticked off", asked(CT), [prior(CT, report_flags=("critical",))], NO, R.CRITICAL),
    ("an ECG called critical: infarction", asked(ECG), [prior(ECG, "1h", report_flags=("critical",))], NO, R.CRITICAL),
    ("a critical value among other marks", asked(), [prior(flags=("A", "LL"))], NO, R.CRITICAL),
    ("a critical value of an item that changes fast: critical is the graver reason", asked(K), [prior(K, flags=("HH",), quality="failed")], NO, R.CRITICAL),
    # contexts
    ("in an emergency nobody waits to judge an old result", asked(contexts=("emergency",)), [prior(age="1h")], NO, R.EMERGENCY),
    ("before an operation the state of today counts", asked(contexts=("before-operation",)), [prior(age="1h")], NO, R.OPERATION),
    ("before a transfusion blood is tested anew", asked(contexts=("before-transfusion",)), [prior(age="1h")], NO, R.TRANSFUSION),
    ("a court wants its own sample", asked(contexts=("forensic",)), [prior(age="1h")], NO, R.FORENSIC),
    ("an emergency operation is first of all an emergency", asked(contexts=("before-operation", "emergency")), [prior()], NO, R.EMERGENCY),
    ("transfusion before an operation: the operation is named first", asked(contexts=("before-transfusion", "before-operation")), [prior()], NO, R.OPERATION),
    ("emergency imaging: the state of now", asked(CT, contexts=("emergency",)), [prior(CT, "1h")], NO, R.EMERGENCY),
    ("emergency ECG: rhythm changes by the minute", asked(ECG, contexts=("emergency",)), [prior(ECG, "1h")], NO, R.EMERGENCY),
    ("acute care alone is no emergency: sodium of two hours ago holds", asked(NA, "acute"), [prior(NA, "2h")], OK, R.WINDOW),
    # never in a setting
    ("potassium in acute care: it kills within hours", asked(K, "acute"), [prior(K, "1h")], NO, R.NEVER),
    ("glucose in acute care", asked(GLU, "acute"), [prior(GLU, "1h")], NO, R.NEVER),
    ("troponin in acute care is measured in series", asked(TNI, "acute"), [prior(TNI, "1h")], NO, R.NEVER),
    ("potassium of an outpatient may be reused, with an eye on the patient", asked(K), [prior(K, "2d")], CARE, R.STABLE),
    ("potassium within twelve hours: too early, and yet it changes fast", asked(K), [prior(K, "2h")], CARE, R.STABLE),
    ("glucose of three weeks ago still tells something of an outpatient", asked(GLU), [prior(GLU, "21d")], CARE, R.STABLE),
    ("glucose of five weeks ago does not", asked(GLU), [prior(GLU, "35d")], NO, R.WINDOW),
    ("troponin of an outpatient after 25 hours", asked(TNI), [prior(TNI, "25h")], NO, R.WINDOW),
    ("troponin of an outpatient of this morning, with caution", asked(TNI), [prior(TNI, "5h")], CARE, R.STABLE),
    ("CRP rises within hours", asked(CRP), [prior(CRP, "2d")], CARE, R.STABLE),
    # information only
    ("a blood group is typed again before anything rests on it", asked(ABO), [prior(ABO, "1d", value="A")], NO, R.INFORMATION),
    ("also when it was typed an hour ago", asked(ABO, "inpatient"), [prior(ABO, "1h", value="O")], NO, R.INFORMATION),
    # not in the catalogue
    ("what the catalogue does not name is not recognised", asked("no-such"), [prior("no-such")], NO, R.CATALOGUE),
    ("a critical value of an unknown item is first of all unknown", asked("no-such"), [prior("no-such", flags=("HH",))], NO, R.CATALOGUE),
    # quality
    ("the laboratory had failed its assessment when the sample was taken", asked(), [prior(quality="failed")], NO, R.QUALITY),
    ("its mark was suspended then", asked(), [prior(quality="suspended")], NO, R.QUALITY),
    ("its record had expired then", asked(), [prior(quality="expired")], NO, R.QUALITY),
    ("it never took part: passing is the condition of recognition", asked(), [prior(quality="unknown")], NO, R.QUALITY),
    ("a region that is milder with those who never took part", asked(), [prior(quality="unknown")], CARE, R.QUALITY, MILD),
    ("failed stays failed in a mild region", asked(), [prior(quality="failed")], NO, R.QUALITY, MILD),
    ("a failed department's CT", asked(CT), [prior(CT, quality="failed")], NO, R.QUALITY),
    ("an expired ECG room", asked(ECG), [prior(ECG, "1h", quality="expired")], NO, R.QUALITY),
    ("one's own laboratory that failed is no better for being one's own", asked(), [prior(issuer="DH02", quality="failed")], NO, R.QUALITY),
    # scope of the mark
    ("a province's mark reaches the city hospital: both lie in the province", asked(at="CITY"), [prior(scope="province")], OK, R.WINDOW),
    ("a city's mark reaches the city hospital", asked(at="CITY"), [prior(scope="city")], OK, R.WINDOW),
    ("a district's mark does not bind the city hospital", asked(at="CITY"), [prior(scope="district")], CARE, R.REACH),
    ("a region may make of that a refusal", asked(at="CITY"), [prior(issuer="AWAY", scope="district")], NO, R.REACH, STRICT),
    ("the city hospital's result with a city mark, at a district hospital", asked(), [prior(issuer="CITY", scope="city")], OK, R.WINDOW),
    ("the city hospital's result with a mark for the district alone", asked(), [prior(issuer="CITY", scope="district")], CARE, R.REACH),
    ("from elsewhere, with a mark of its own province", asked(), [prior(issuer="AWAY", scope="province")], CARE, R.REACH),
    ("the institution's own result needs no mark to reach it", asked(), [prior(issuer="DH02")], OK, R.WINDOW),
    ("from one community centre to another", asked(at="CHC02"), [prior()], OK, R.WINDOW),
    # tiers
    ("where tiers bind, a lower one does not bind a higher", asked(), [prior()], CARE, R.TIER, BINDS),
    ("equals accept equals", asked(at="CHC02"), [prior()], OK, R.WINDOW, BINDS),
    ("a lower tier accepts a higher one", asked(at="CHC02"), [prior(issuer="DH02")], OK, R.WINDOW, BINDS),
    ("one's own result is above tiers", asked(), [prior(issuer="DH02")], OK, R.WINDOW, BINDS),
    # what was measured
    ("no value: the tube was empty", asked(), [prior(value="")], NO, R.CONTENT),
    ("words where a number is expected are read by a person", asked(), [prior(value="见备注")], CARE, R.UNIT),
    ("g/dL can be converted into g/L", asked(), [prior(unit="g/dL", unit_code="g/dL")], OK, R.WINDOW),
    ("a unit that nobody understands is not compared", asked(), [prior(unit="单位", unit_code="")], CARE, R.UNIT),
    ("a unit that measures something else", asked(), [prior(unit="mmol/L", unit_code="mmol/L")], CARE, R.UNIT),
    ("urine is no blood, whatever its code", asked(), [prior(specimen="尿液")], NO, R.SPECIMEN),
    ("venous blood is blood", asked(), [prior(specimen="静脉血")], OK, R.WINDOW),
    ("serum potassium out of an arterial sample is another thing", asked(K), [prior(K, specimen="动脉血")], NO, R.SPECIMEN),
    ("a specimen written in a way that nobody knows proves nothing", asked(), [prior(specimen="标本一")], OK, R.WINDOW),
    # near matches
    ("HbA1c in IFCC units is the same substance counted otherwise", asked(A1C), [prior(A1C_IFCC, "10d")], CARE, R.ITEM),
    ("bedside glucose answers a question about serum only nearly", asked(GLU), [prior(GLU_POC, "2h")], CARE, R.ITEM),
    ("high-sensitivity CRP for CRP", asked(CRP), [prior(HSCRP, "2h")], CARE, R.ITEM),
    ("a near match that is critical is critical", asked(GLU), [prior(GLU_POC, "2h", flags=("HH",))], NO, R.CRITICAL),
    ("plain chest CT for one with contrast", asked(CT_C), [prior(CT, "2d")], CARE, R.ITEM),
    ("chest CT with contrast for a plain one", asked(CT), [prior(CT_C, "2d")], CARE, R.ITEM),
    ("an old near match is too old all the same", asked(CT), [prior(CT_C, "16d")], NO, R.WINDOW),
    ("contrast not told: taken as plain, and said so", asked(CT), [prior(CT, "2d", doubts=("contrast",))], CARE, R.ITEM),
    ("headers and words name different parts of the body", asked(CT), [prior(CT, "2d", doubts=("body-part",))], NO, R.ITEM),
    # sides
    ("the right knee answers no question about the left", asked(KNEE, laterality="L"), [prior(KNEE, laterality="R")], NO, R.SIDE),
    ("the left knee answers it", asked(KNEE, laterality="L"), [prior(KNEE, laterality="L")], OK, R.WINDOW),
    ("both knees answer it too", asked(KNEE, laterality="L"), [prior(KNEE, laterality="B")], OK, R.WINDOW),
    ("one knee does not answer for both", asked(KNEE, laterality="B"), [prior(KNEE, laterality="L")], NO, R.SIDE),
    ("a knee without a side", asked(KNEE, laterality="L"), [prior(KNEE)], CARE, R.SIDE),
    ("an order without a side", asked(KNEE), [prior(KNEE, laterality="R")], CARE, R.SIDE),
    # images
    ("a chest CT of last week", asked(CT), [prior(CT, "7d")], OK, R.WINDOW),
    ("fifteen days are the window for images", asked(CT), [prior(CT, "15d")], OK, R.WINDOW),
    ("sixteen days are past it", asked(CT), [prior(CT, "16d")], NO, R.WINDOW),
    ("images alone, of which nobody has written: read them first", asked(CT), [prior(CT, status="partial")], NO, R.SETTLED),
    ("a written report whose images never came: what is recognised is the images", asked(CT), [prior(CT, shown=0)], NO, R.CONTENT),
    ("rejected by the reader", asked(CT), [prior(CT, grade="reject")], NO, R.GRADE),
    ("poor, but it may answer the question", asked(CT), [prior(CT, grade="C")], CARE, R.GRADE),
    ("of grade A", asked(CT), [prior(CT, grade="A")], OK, R.WINDOW),
    ("of grade B", asked(DX), [prior(DX, grade="B")], OK, R.WINDOW),
    ("slices are missing: a nodule may lie between them", asked(CT), [prior(CT, missing=("slices-missing",))], NO, R.COMPLETE),
    ("the modality made more images than have come", asked(CT), [prior(CT, missing=("announced-missing",))], NO, R.COMPLETE),
    ("the headers count more images than have come", asked(DX), [prior(DX, missing=("declared-missing",))], NO, R.COMPLETE),
    ("images are still arriving", asked(CT), [prior(CT, complete=False)], NO, R.COMPLETE),
    ("a knee whose images do not tell the side", asked(KNEE), [prior(KNEE, missing=("laterality-missing",))], CARE, R.COMPLETE),
    ("images of a wrong worklist entry were among them: whose are the rest?", asked(CT), [prior(CT, hidden=("113038",))], NO, R.HIDDEN),
    ("images rejected for the patient's safety", asked(CT), [prior(CT, hidden=("113037",))], NO, R.HIDDEN),
    ("a retake: the poor image is hidden, the good one is there", asked(DX), [prior(DX, hidden=("113001",))], CARE, R.HIDDEN),
    ("the rejection note itself is no image", asked(CT), [prior(CT, hidden=("rejection-note",))], OK, R.WINDOW),
    ("all images were rejected", asked(CT), [prior(CT, shown=0, hidden=("113001",))], NO, R.CONTENT),
    ("a dose report stands beside the images and is none", asked(CT), [prior(CT, report_flags=("supplement",))], NO, R.SUPPLEMENT),
    # tracings
    ("an ECG of an outpatient of two days ago, with the tracing", asked(ECG), [prior(ECG, "2d")], CARE, R.STABLE),
    ("an ECG whose tracing is not here is an opinion", asked(ECG), [prior(ECG, "2d", tracing=False)], NO, R.CONTENT),
    ("an unconfirmed machine reading", asked(ECG), [prior(ECG, "2d", status="preliminary")], NO, R.SETTLED),
    ("seven hours are too old in acute care", asked(ECG, "acute"), [prior(ECG, "7h")], NO, R.WINDOW),
    # later results
    ("an older value beside a newer one: look at both", asked(), [prior(age="3d"), prior(age="1d", id=2)], CARE, R.NEWEST),
    ("the newer of the two", asked(), [prior(age="1d"), prior(age="3d", id=2)], OK, R.WINDOW),
    ("yesterday's critical value is not undone by last week's normal one", asked(), [prior(age="5d"), prior(age="1d", id=2, flags=("LL",))], NO, R.NEWEST),
    ("a critical one before it has been superseded by a normal one", asked(), [prior(age="1d"), prior(age="3d", id=2, flags=("LL",))], OK, R.WINDOW),
    ("critical, then normal, then this: the critical one is later than the oldest", asked(), [prior(age="5d"), prior(age="3d", id=2, flags=("HH",)), prior(age="1d", id=3)], NO, R.NEWEST),
    ("a later result that was taken back is none", asked(), [prior(age="3d"), prior(age="1d", id=2, status="cancelled")], OK, R.WINDOW),
    ("a later preliminary result warns of itself", asked(), [prior(age="3d"), prior(age="1d", id=2, status="preliminary")], CARE, R.NEWEST),
    ("a later preliminary critical one forbids", asked(), [prior(age="3d"), prior(age="1h", id=2, status="preliminary", flags=("LL",))], NO, R.NEWEST),
    ("a later critical near match forbids", asked(CT), [prior(CT, "5d"), prior(CT_C, "1d", id=2, report_flags=("critical",))], NO, R.NEWEST),
    ("a later result of another item says nothing of this one", asked(), [prior(age="3d"), prior(NA, "1d", id=2)], OK, R.WINDOW),
    ("a result of the future is later than nothing", asked(), [prior(age="3d"), prior(age="-1d", id=2)], OK, R.WINDOW),
    ("the images and the report on them are one examination", asked(CT), [prior(CT, "3d", study="1.2.3"), prior(CT, "2d", id=2, study="1.2.3", status="partial")], OK, R.WINDOW),
    ("the other knee's later images say nothing of this one", asked(KNEE, laterality="L"), [prior(KNEE, "5d", laterality="L"), prior(KNEE, "1d", id=2, laterality="R")], OK, R.WINDOW),
    # several reasons at once: the gravest decides
    ("preliminary, of a failed laboratory, and too old: it is not even a result yet", asked(), [prior(age="30d", status="preliminary", quality="failed")], NO, R.SETTLED),
    ("failed and too old: quality is named first", asked(), [prior(age="30d", quality="failed")], NO, R.QUALITY),
    ("poor images past their window", asked(CT), [prior(CT, "20d", grade="C")], NO, R.WINDOW),
    ("a later result, and a unit that is not understood: the later result is named first", asked(), [prior(age="3d", unit_code=""), prior(age="1d", id=2)], CARE, R.NEWEST),
]
# fmt: on
