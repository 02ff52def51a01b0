"""Real traffic over real sockets: each step says what was sent, and what the hub answered in the sender's protocol."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from hub.app import Hub
from schemas.delivery import State
from schemas.patient import Sex

from . import figures
from .clients import Answer, Http, Mllp, store
from .district import District
from .narrator import Narrator
from .today import CT_SLICES, EcgFile, Today
from .workstation import INSTITUTION, Workstation

_SUCCESS, _CONFLICT = 0x0000, 0x0111
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104 compared, never bound


@dataclass(frozen=True)
class Live:
    """The senders of the district, at work on the doors of `hub`."""

    hub: Hub
    district: District
    today: Today
    narrator: Narrator
    station: Workstation

    @property
    def host(self) -> str:
        """Where a sender on this machine finds the hub."""
        return _ANYWHERE.get(self.hub.settings.host, self.hub.settings.host)

    def http(self, account: str) -> Http:
        """A program of that account, as `dxhub token` would arm it."""
        return Http(self.host, self.hub.port("web"), self.hub.verbs.access.issue_token(account))

    def run(self) -> None:
        """Everything that is sent today."""
        self._ct()
        self._other_images()
        self._laboratory()
        self._sent_on()
        self._ecgs()
        self._emergency()
        self._bad_input()

    def _store(self, calling: str, datasets: list[Dataset]) -> Counter[int]:
        settings = self.hub.settings
        return store(self.host, self.hub.port("dicom"), calling, settings.dicom_ae_title, datasets)

    def _ct(self) -> None:
        self.narrator.step(
            f"CHC03 用 C-STORE 发送一套 {CT_SLICES} 层胸部 CT（{self.today.patient.name}）",
            f"CHC03 sends a chest CT of {CT_SLICES} slices by C-STORE",
        )
        series = list(self.narrator.progress([*self.today.ct_series()], "制作 made"))
        statuses = self._store("CHC03", series)
        self.narrator.check(statuses[_SUCCESS] == CT_SLICES, f"C-STORE 0x0000 × {statuses[_SUCCESS]}")

    def _other_images(self) -> None:
        self.narrator.step(
            "其他中心发送超声和压缩影像；CHC03 用 STOW-RS 上传一张胸片",
            "other centres send an ultrasound and compressed images; CHC03 stores a radiograph by STOW-RS",
        )
        for sender, datasets in self.today.other_images():
            statuses = self._store(sender, datasets)
            syntax = datasets[0].file_meta.TransferSyntaxUID.name
            self.narrator.check(statuses == {_SUCCESS: len(datasets)}, f"{sender} {datasets[0].Modality}, {syntax}")
        answer = self.http("technician").stow("/dicomweb/studies", [self.today.radiograph()])
        self.narrator.check(answer.status == 200, f"STOW-RS HTTP {answer.status}")

    def _laboratory(self) -> None:
        messages = list(self.today.messages())
        self.narrator.step(
            f"各中心检验系统经 MLLP 发送 {len(messages)} 条 HL7 v2 消息（含 GB18030、更正、作废、影像诊断报告）",
            f"laboratories send {len(messages)} HL7 v2 messages over MLLP, with a correction and a withdrawal",
        )
        codes = Counter(self.narrator.progress(_Sending(self, messages), "HL7 v2"))
        self.narrator.check(codes == {"AA": len(messages)}, " ".join(f"{k} × {n}" for k, n in sorted(codes.items())))
        with self._mllp() as sender:
            again = sender.send(messages[0][1])
        self.narrator.check(again.code == "AA", f"同一消息再发一次仍得同一回执 the same message again: {again.code}")

    def _sent_on(self) -> None:
        self.narrator.step(
            f"枢纽把影像中心的 CT 报告经 MLLP 转发给开单机构 {INSTITUTION}",
            f"the hub sends the imaging centre's report on to {INSTITUTION}, which ordered the CT, over MLLP",
        )
        result = self.station.first()
        said = (
            f"{result.service}: OBR-25 {result.status}, MSH-10 {result.control_id}, AA" if result else "没有收到 none"
        )
        self.narrator.check(result is not None and result.status == "F", said)

    def _mllp(self) -> Mllp:
        return Mllp(self.host, self.hub.port("mllp"))

    def _ecgs(self) -> None:
        files = list(self.today.ecgs())
        self.narrator.step(
            f"CHC03 技师上传 {len(files)} 份心电图：DICOM、aECG（UTF-8 与 GB2312）、SCP-ECG、PDF",
            f"the technician of CHC03 uploads {len(files)} ECGs: DICOM, aECG, SCP-ECG, PDF",
        )
        http = self.http("technician")
        for file in files:
            answer = http.upload("/deliveries", {file.filename: file.content}, _said_of(file))
            self.narrator.check(answer.status == 200, f"{file.filename}: HTTP {answer.status} {_state(answer)}")

    def _emergency(self) -> None:
        self.narrator.step(
            "CHC03 的心电图机用 C-STORE 发来一份没有患者编号的急诊心电图：进入“身份未识别心电”，先阅图，后认领",
            "a cart of CHC03 sends an emergency's ECG without a patient number: it is read first, and attached later",
        )
        statuses = self._store("CHC03", [self.today.emergency_ecg()])
        self.narrator.check(statuses == {_SUCCESS: 1}, f"C-STORE 0x0000 × {statuses[_SUCCESS]}")

    def _bad_input(self) -> None:
        self.narrator.step(
            "坏数据：残缺消息进隔离区，身份矛盾被挂起，重复 UID 的不同影像被拒，未授权上传被拒",
            "bad input: a broken message, a contradicting patient, other pixels under a known UID, a stranger's upload",
        )
        before = figures.refused(self.hub, self.district)
        self._bad_messages()
        statuses = self._store("CHC03", [self.today.contradicting_slice()])
        shown = " ".join(f"0x{status:04X}" for status in statuses)
        self.narrator.check(statuses == {_CONFLICT: 1}, f"同一 UID 不同像素 same UID, other pixels: {shown}")
        stranger = Http(self.host, self.hub.port("web"), "not-a-token").upload("/deliveries", {"x.pdf": b"%PDF-"}, {})
        self.narrator.check(stranger.status == 401, f"无效令牌 wrong token: HTTP {stranger.status}")
        after = figures.refused(self.hub, self.district)
        more = {state: after[state] - before[state] for state in after}
        self.narrator.check(
            more == {State.HELD: 2, State.QUARANTINED: 1},
            f"一字节未丢，等人处理 kept for a person: 挂起 held {more[State.HELD]} · "
            f"隔离 quarantined {more[State.QUARANTINED]}",
        )

    def _bad_messages(self) -> None:
        with self._mllp() as sender:
            for what, (_, message) in (
                ("残缺消息 broken message", self.today.garbled()),
                ("身份矛盾 contradicting patient", self.today.contradicting()),
            ):
                answer = sender.send(message)
                self.narrator.check(answer.code in {"AE", "AR"}, f"{what}: {answer.code} {answer.text}")


@dataclass(frozen=True)
class _Sending:
    """The messages on their way; yields the hub's MSA-1 for each. Senders that follow each other share a connection."""

    live: Live
    messages: list[tuple[str, bytes]]

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[str]:
        for _, group in itertools.groupby(self.messages, key=lambda each: each[0]):
            with Mllp(self.live.host, self.live.hub.port("mllp")) as sender:
                for _, message in group:
                    yield sender.send(message).code


def _state(answer: Answer) -> str:
    receipts = answer.json().get("receipts", [])
    return " ".join(
        str(each.get("state") or "") + (f" {each['text']}" if each.get("text") else "") for each in receipts
    )


def _said_of(file: EcgFile) -> dict[str, str]:
    """The form's fields beside a file that cannot say whose it is."""
    if file.hint is None:
        return {}
    hint, patient = file.hint, file.hint.patient
    said = {
        "identifier": patient.key.value,
        "identifier_system": patient.key.system,
        "name": patient.name.text,
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else "",
        "sex": patient.sex.value if patient.sex is not Sex.UNKNOWN else "",
        "category": hint.category,
        "title": hint.title,
        "observed_at": hint.observed_at.isoformat() if hint.observed_at else "",
    }
    return {name: value for name, value in said.items() if value}
