"""The patients of the fictional district: about sixty, the same for the same seed.

Identity numbers hold their check digit and lie in region 990xxx, which no county has (GB 11643, GB/T 2260).
"""

import datetime as dt
import random
from dataclasses import dataclass, replace

from stdnum.cn import ric

from schemas.patient import Sex

from .district import COMMUNITY_CENTRES
from .names import MEN, SURNAMES, WOMEN

SEED = 20260301
# Ages are counted to a fixed day: the same people must come out whenever the demo runs.
_COUNTED_TO = dt.date(2026, 3, 1)
# Systems number their patients themselves; coprime to the prime below, so no two of one system share a number.
_RECORD_NUMBERS = 900_000


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as registered at the institution `home`.

    surname: empty where the name has none; given: then the whole name. latin: as in DICOM, `Wang^Yue`.
    resident_number: empty where there is none yet. conditions: what the two years of results will show.
    """

    serial: int
    surname: str
    given: str
    latin: str
    sex: Sex
    birth_date: dt.date
    home: str
    resident_number: str = ""
    card_number: str = ""
    conditions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.surname + self.given

    def record_number(self, institution: str) -> str:
        """The medical record number under which an institution's system knows this person; each has its own."""
        start = sum(institution.encode()) * 613
        return str(100_000 + (start + self.serial * 7919) % _RECORD_NUMBERS)

    def age_on(self, day: dt.date) -> int:
        """Completed years."""
        return day.year - self.birth_date.year - ((day.month, day.day) < (self.birth_date.month, self.birth_date.day))


def people(seed: int = SEED) -> tuple[Person, ...]:
    """All patients: first the named ones below, whom tests and texts rely on, then chance."""
    chance = random.Random(seed)
    named = tuple(_named(chance, serial, row) for serial, row in enumerate(_NAMED, start=1))
    others = tuple(_anybody(chance, serial) for serial in range(len(named) + 1, 57))
    everybody = named + others
    return everybody + _doubtful(everybody)


def find(everybody: tuple[Person, ...], name: str) -> Person:
    """The first person of that name."""
    return next(person for person in everybody if person.name == name)


# (surname, given, latin, sex, birth date, home, conditions). What each is for: see the remark.
_Row = tuple[str, str, str, str, str, str, tuple[str, ...]]
_NAMED: tuple[_Row, ...] = (
    ("张", "玥", "Zhang^Yue", "F", "1968-05-17", "CHC03", ("diabetes", "dyslipidaemia")),  # the live journey's patient
    ("王", "喆", "Wang^Zhe", "M", "1955-11-02", "CHC05", ("kidney", "hypertension")),
    ("李", "珅", "Li^Shen", "M", "1979-02-28", "CHC07", ("fatty-liver",)),  # 珅 holds the byte of `|` in GB18030
    ("王", "弢", "Wang^Tao", "M", "1947-08-09", "CHC11", ("hypertension", "dyslipidaemia")),  # so does 弢
    ("李", "昞", "Li^Bing", "F", "1990-12-12", "CHC11", ("anaemia",)),  # 昞 holds the byte of a backslash
    ("欧阳", "静", "Ouyang^Jing", "F", "1973-07-21", "CHC01", ("hypothyroid",)),
    ("司马", "长风", "Sima^Changfeng", "M", "1961-01-30", "CHC08", ("diabetes",)),
    ("", "阿依古丽·买买提", "Ayiguli Maimaiti", "F", "1984-03-08", "CHC10", ()),
    ("𠮷", "瑞", "Ji^Rui", "M", "1996-09-19", "CHC12", ()),  # U+20BB7, beyond the basic plane
    ("张", "瑋", "Zhang^Wei", "F", "2001-06-06", "CHC07", ("anaemia",)),
    ("陈", "婴", "Chen^Ying", "F", "2026-02-11", "CHC02", ("newborn",)),  # registered before the number was given
    ("刘", "子墨", "Liu^Zimo", "M", "2017-04-23", "CHC04", ()),
    ("赵", "德全", "Zhao^Dequan", "M", "1934-10-05", "CHC06", ("kidney", "anaemia")),
    ("周", "慕青", "Zhou^Muqing", "F", "1988-08-18", "CHC09", ("hypothyroid",)),
    ("诸葛", "瑾", "Zhuge^Jin", "M", "1970-02-02", "CHC13", ("fatty-liver", "diabetes")),
    ("孙", "桂芝", "Sun^Guizhi", "F", "1942-12-25", "CHC14", ("hypertension", "dyslipidaemia")),
)


def _named(chance: random.Random, serial: int, row: _Row) -> Person:
    surname, given, latin, sex, born, home, conditions = row
    person = Person(
        serial,
        surname,
        given,
        latin,
        Sex.FEMALE if sex == "F" else Sex.MALE,
        dt.date.fromisoformat(born),
        home,
        card_number=_card(chance),
        conditions=conditions,
    )
    return person if "newborn" in conditions else _numbered(chance, person)


_CONDITIONS = ("diabetes", "dyslipidaemia", "kidney", "anaemia", "fatty-liver", "hypothyroid", "hypertension")


def _anybody(chance: random.Random, serial: int) -> Person:
    male = chance.random() < 0.5
    (surname, family), (given, called) = chance.choice(SURNAMES), chance.choice(MEN if male else WOMEN)
    age_days = chance.randint(2 * 365, 90 * 365)
    ill = chance.sample(_CONDITIONS, chance.choice((0, 0, 1, 1, 2))) if age_days > 35 * 365 else []
    person = Person(
        serial,
        surname,
        given,
        f"{family}^{called}",
        Sex.MALE if male else Sex.FEMALE,
        _COUNTED_TO - dt.timedelta(days=age_days),
        COMMUNITY_CENTRES[serial % len(COMMUNITY_CENTRES)],
        card_number=_card(chance),
        conditions=tuple(ill),
    )
    return _numbered(chance, person)


def _numbered(chance: random.Random, person: Person) -> Person:
    order = 2 * chance.randint(0, 499) + (person.sex is Sex.MALE)
    body = f"990{chance.randint(101, 199)}{person.birth_date:%Y%m%d}{order:03d}"
    return replace(person, resident_number=body + ric.calc_check_digit(body + "0"))


def _card(chance: random.Random) -> str:
    return f"TL{chance.randint(0, 99_999_999):08d}"


def _doubtful(known: tuple[Person, ...]) -> tuple[Person, ...]:
    """People registered a second time, wrongly; and namesakes, who are two people."""
    mistyped, lent, namesake = (find(known, name) for name in ("孙桂芝", "诸葛瑾", "周慕青"))
    serial = len(known)
    return (
        # The birth date keyed in with day and month of another year: number right, date wrong.
        replace(mistyped, serial=serial + 1, birth_date=dt.date(1943, 12, 25), home="CHC15", card_number=""),
        # A card lent to a relative: the same number, another sex.
        replace(lent, serial=serial + 2, sex=Sex.FEMALE, given="瑜", latin="Zhuge^Yu", home="CHC16", card_number=""),
        # Same name, same birth date, no number told: may be the same person or not.
        replace(namesake, serial=serial + 3, resident_number="", card_number="", home="CHC16", conditions=()),
        # Same name, another person.
        replace(
            namesake,
            serial=serial + 4,
            resident_number="",
            card_number="",
            birth_date=dt.date(1952, 4, 4),
            home="CHC05",
        ),
    )
