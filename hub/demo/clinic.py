"""A clinician elsewhere in the district, over HTTP: finds the patient, reads, and says whether a result is reused."""

from typing import Any

from schemas.identifiers import RESIDENT_ID

from .clients import Http
from .district import Account
from .narrator import Narrator
from .people import Person
from .readings import CHEST_CT

_FHIR = "/fhir/R4"
_LOINC = "http://loinc.org"
# What the clinician was about to order: (LOINC, name, verdict, reason, why).
_ORDERS = (
    (CHEST_CT.code, "胸部CT平扫", "recognised", "", ""),
    ("4548-4", "糖化血红蛋白", "recognised", "", ""),
    ("58410-2", "血常规", "not-recognised", "01", "今日发热，需复查血常规"),
)


def visit(http: Http, clinician: Account, person: Person, narrator: Narrator) -> None:
    """The whole of it; each line says what was found."""
    narrator.step(
        f"临床医生（{clinician.name}，另一家医院）用身份证号在 FHIR 查到患者，阅读并确认互认",
        "a clinician of another hospital finds the patient over FHIR, reads, and recognises or not",
    )
    patient = _patient(http, person, narrator)
    if patient is None:
        return
    _timeline(http, patient, narrator)
    _image(http, patient, narrator)
    for order in _ORDERS:
        _decide(http, clinician, patient, order, narrator)


def _resources(http: Http, kind: str, **query: str) -> list[dict[str, Any]]:
    bundle = http.get(f"{_FHIR}/{kind}", "application/fhir+json", **query).json()
    entries = [entry["resource"] for entry in bundle.get("entry", [])]
    return [resource for resource in entries if resource["resourceType"] == kind]


def _patient(http: Http, person: Person, narrator: Narrator) -> str | None:
    found = _resources(http, "Patient", identifier=f"{RESIDENT_ID}|{person.resident_number}")
    names = [name.get("text", "") for patient in found for name in patient.get("name", [])]
    narrator.check(len(found) == 1 and person.name in names, f"Patient?identifier= → {len(found)} · {'/'.join(names)}")
    return str(found[0]["id"]) if found else None


def _timeline(http: Http, patient: str, narrator: Narrator) -> None:
    counts = {
        category: http.get(f"{_FHIR}/DiagnosticReport", patient=patient, category=category, _count="1").json()["total"]
        for category in ("RAD", "LAB", "EC")
    }
    line = "影像 imaging {RAD} · 检验 laboratory {LAB} · 心电 ECG {EC}".format(**counts)
    narrator.check(all(counts.values()), f"时间轴 timeline: {line}")


def _image(http: Http, patient: str, narrator: Narrator) -> None:
    """The newest series, its first instance drawn by the hub."""
    studies = _resources(http, "ImagingStudy", patient=patient)
    largest = max(studies, key=lambda study: int(study.get("numberOfInstances", 0)), default=None)
    if largest is None:
        narrator.check(False, "ImagingStudy: 无 none")
        return
    uid = next(each["value"] for each in largest["identifier"] if each["system"] == "urn:dicom:uid")
    drawn = http.get(f"/dicomweb/studies/{uid.removeprefix('urn:oid:')}/thumbnail", "image/jpeg")
    held = drawn.status == 200 and drawn.media_type == "image/jpeg"
    narrator.check(held, f"WADO-RS {largest['numberOfInstances']} 幅影像 images → JPEG {len(drawn.body)} bytes")


def _decide(
    http: Http, clinician: Account, patient: str, order: tuple[str, str, str, str, str], narrator: Narrator
) -> None:
    code, name, verdict, reason, comment = order
    reports = _resources(http, "DiagnosticReport", patient=patient, code=f"{_LOINC}|{code}", _sort="-date", _count="1")
    if not reports:
        narrator.check(False, f"{name}: 无报告 no report")
        return
    report = reports[0]
    answer = http.post_json(
        "/recognition/decisions",
        {
            "report": int(report["id"]),
            "version": int(report["meta"]["versionId"]),
            "institution": clinician.organization,
            "decision": verdict,
            "reason": reason,
            "comment": comment,
            "order": {"code": code, "display": name, "setting": "outpatient", "department": "内科"},
        },
    )
    shown = {"recognised": "互认 recognised", "not-recognised": f"不互认 not recognised, {reason} {comment}"}[verdict]
    narrator.check(answer.status == 201, f"{name} (DiagnosticReport/{report['id']}): {shown} · HTTP {answer.status}")
