"""An ECG examination, as whatever cart recorded it knows it."""

import datetime as dt
import uuid
from dataclasses import dataclass

from schemas.patient import Sex

from .ecg_signal import Measurements, Pattern, Rhythm, Signal

MODEL = "DX-1200"
MANUFACTURER = "Dxhub Demo Instruments"


@dataclass(frozen=True, slots=True)
class Examination:
    """patient_id: as the cart's institution numbers its patients. latin: `Wang^Fang`. observed_at: aware of its zone.

    statements: what the cart or the doctor says of it. confirmed_by: the doctor's name, empty where nobody has.
    """

    patient_id: str
    name: str
    latin: str
    birth_date: dt.date
    sex: Sex
    observed_at: dt.datetime
    signal: Signal
    statements: tuple[str, ...]
    confirmed_by: str = ""
    institution: str = ""
    accession_number: str = ""
    serial: str = ""

    def uid(self, part: str) -> str:
        """A UID that is the same for the same examination. Source: DICOM PS3.5 B.2 (root 2.25)."""
        name = f"{self.institution}/{self.patient_id}/{self.observed_at.isoformat()}/{self.serial}/{part}"
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, 'urn:dxhub:demo:ecg:' + name).int}"


def statements(pattern: Pattern, measured: Measurements) -> tuple[str, ...]:
    """What a cart's program would say of the recording, in the words that Chinese carts use."""
    found = [_rhythm(pattern, measured)]
    if pattern.rhythm is Rhythm.PVC:
        found.append("室性早搏")
    if pattern.left_bundle_branch_block:
        found.append("完全性左束支传导阻滞")
    if pattern.st_elevation_mv >= 0.1:
        where = {"anterior": "前壁", "inferior": "下壁"}[pattern.territory]
        found.append(f"{where}导联ST段抬高，提示急性心肌梗死可能，请结合临床")
    if measured.axis_deg < -30:
        found.append("电轴左偏")
    if measured.qtc_ms > 460:
        found.append("QT间期延长")
    usual = len(found) == 1 and pattern.rhythm is Rhythm.SINUS and 60 <= measured.heart_rate <= 100
    return (*found, "正常心电图" if usual else "异常心电图")


def _rhythm(pattern: Pattern, measured: Measurements) -> str:
    if pattern.rhythm is Rhythm.ATRIAL_FIBRILLATION:
        return "心房颤动伴快速心室率" if measured.heart_rate > 100 else "心房颤动"
    if measured.heart_rate < 60:
        return "窦性心动过缓"
    return "窦性心动过速" if measured.heart_rate > 100 else "窦性心律"
