"""The fictional district: its institutions, the systems through which they send, and the people who sign in.

Nothing here exists: the region code 9901 is unassigned, so no credit code can be anybody's (GB 32100, GB/T 2260).
"""

import random
from dataclasses import dataclass

from stdnum.cn import uscc

from hub.ingest.senders import UNREGISTERED
from schemas.disclosure import Role
from schemas.organization import Organization, OrganizationKind, Source

IMAGING_CENTRE = "DH01"
LABORATORY_CENTRE = "DH02"
ECG_CENTRE = "DH03"
CITY_HOSPITAL = "CH01"
BUREAU = "HB01"

# (Chinese, pinyin) names of streets, in the order of CHC01 … CHC16.
_STREETS = (
    ("柳岸", "Liu'an"),
    ("荷香", "Hexiang"),
    ("竹影", "Zhuying"),
    ("桐里", "Tongli"),
    ("青石", "Qingshi"),
    ("望汀", "Wangting"),
    ("桂苑", "Guiyuan"),
    ("松涛", "Songtao"),
    ("杏坞", "Xingwu"),
    ("银杏", "Yinxing"),
    ("南渡", "Nandu"),
    ("北埠", "Beibu"),
    ("东篱", "Dongli"),
    ("西畴", "Xichou"),
    ("晨汐", "Chenxi"),
    ("暮云", "Muyun"),
)
COMMUNITY_CENTRES = tuple(f"CHC{number:02d}" for number in range(1, len(_STREETS) + 1))

# Two laboratories write GB18030: one says so in MSH-18, the other says nothing and its profile has to know.
DECLARES_GB18030 = "CHC07"
CONCEALS_GB18030 = "CHC11"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signs in. `look_at`: what this person would want to see first, Chinese and English."""

    account: str
    name: str
    role: Role
    organization: str
    password: str
    look_at: tuple[str, str]


@dataclass(frozen=True, slots=True)
class District:
    """Everything that has to be known before the first delivery arrives."""

    organizations: tuple[Organization, ...]
    sources: tuple[Source, ...]
    accounts: tuple[Account, ...]


def district() -> District:
    """The one district of the demo; the same every time."""
    organizations = _organizations()
    return District(organizations, _sources(), _accounts())


def credit_code(prefix: str, serial: int) -> str:
    """A code whose check characters hold, in a region that nobody was given. Source: GB 32100, GB 11714.

    prefix: registering authority and kind of body, for example 12 for a public institution.
    """
    body = f"MB{serial:06d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = (11 - sum(int(c, 36) * weight for c, weight in zip(body, weights, strict=True)) % 11) % 11
    code = f"{prefix}990100{body}{'X' if rest == 10 else rest}"
    return code + str(uscc.calc_check_digit(code + "0"))


def _organizations() -> tuple[Organization, ...]:
    hospital, centre = OrganizationKind.DISTRICT_HOSPITAL, OrganizationKind.COMMUNITY_CENTRE
    upper = (
        (BUREAU, "听澜区卫生健康局", "Tinglan District Health Bureau", OrganizationKind.BUREAU, ""),
        (CITY_HOSPITAL, "云汀市第一人民医院", "Yunting First People's Hospital", OrganizationKind.CITY_HOSPITAL, ""),
        (IMAGING_CENTRE, "听澜区人民医院", "Tinglan District People's Hospital", hospital, "imaging"),
        (LABORATORY_CENTRE, "听澜区中医医院", "Tinglan District Hospital of Chinese Medicine", hospital, "laboratory"),
        (ECG_CENTRE, "听澜区第二人民医院", "Tinglan District Second People's Hospital", hospital, "ecg"),
    )
    lower = tuple(
        (code, f"听澜区{street}社区卫生服务中心", f"{latin} Community Health Centre", centre, "")
        for code, (street, latin) in zip(COMMUNITY_CENTRES, _STREETS, strict=True)
    )
    known = tuple(
        Organization(code, zh, en, kind, credit_code("11" if code == BUREAU else "12", serial), hosts)
        for serial, (code, zh, en, kind, hosts) in enumerate(upper + lower, start=1)
    )
    return (*known, Organization(UNREGISTERED, "未登记来源", "Unregistered senders"))


def _sources() -> tuple[Source, ...]:
    """AE titles and MSH-4 facilities. Numbers are given by the hub when it registers them."""
    senders = (*COMMUNITY_CENTRES, IMAGING_CENTRE, LABORATORY_CENTRE, ECG_CENTRE, CITY_HOSPITAL, UNREGISTERED)
    return tuple(
        Source(0, code, organization=code, authority=code, charset="gb18030" if code == CONCEALS_GB18030 else "")
        for code in senders
    )


_PEOPLE = (
    (Role.TECHNICIAN, "沈安澜", "CHC03", "上传一份心电图，看回执", "upload an ECG, see its receipt"),
    (Role.RADIOLOGIST, "顾明远", IMAGING_CENTRE, "打开最近的胸部CT", "open the latest chest CT"),
    (Role.ECG_READER, "陆知行", ECG_CENTRE, "看十二导联心电图", "look at a 12-lead ECG on paper"),
    (Role.LAB_REVIEWER, "秦若水", LABORATORY_CENTRE, "看带危急值的检验报告", "look at a result with critical values"),
    (
        Role.CLINICIAN,
        "江望舒",
        LABORATORY_CENTRE,
        "查患者，看时间轴，确认是否互认",
        "find a patient, see the timeline, recognise or not",
    ),
    (Role.QUALITY, "白砚秋", BUREAU, "看互认数字", "see the figures of recognition"),
    (Role.ADMIN, "方既白", BUREAU, "处理隔离区和存疑身份", "work through quarantine and identity doubts"),
    (Role.AUDITOR, "裴慎之", BUREAU, "查谁看过什么", "see who read what"),
)
_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def _accounts() -> tuple[Account, ...]:
    """One for each role. The passwords come from a fixed seed: they guard invented patients on one machine."""
    chance = random.Random("passwords of the fictional district")
    return tuple(
        Account(str(role), name, role, organization, _password(chance), (zh, en))
        for role, name, organization, zh, en in _PEOPLE
    )


def _password(chance: random.Random) -> str:
    return "-".join("".join(chance.choices(_CHARACTERS, k=4)) for _ in range(4))
