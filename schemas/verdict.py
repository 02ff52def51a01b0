"""A verdict: whether a prior result can stand in for what is about to be ordered, with everything that it rests on."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from .catalogue import Item, Setting
from .image_quality import Grade, Shortcoming
from .observation import Observation, Slot
from .organization import Organization, OrganizationKind
from .quality import Assessed, Assessment
from .report import ReportRecord


class Advice(StrEnum):
    """What the hub says. It is advice: the treating doctor decides."""

    REUSABLE = "reusable"
    WITH_CAUTION = "reusable-with-caution"
    NOT_SUGGESTED = "not-suggested"


class Context(StrEnum):
    """Why what is ordered weighs more than usual. Source: 国卫医发〔2022〕6号, reasons 03 to 05."""

    EMERGENCY = "emergency"
    OPERATION = "before-operation"
    TRANSFUSION = "before-transfusion"
    FORENSIC = "forensic"


class Outcome(StrEnum):
    """What a rule says. NONE: it does not apply. SUPPORTS: more than nothing speaks against reuse."""

    HOLDS = "holds"
    SUPPORTS = "supports"
    NONE = "none"
    CAUTION = "caution"
    EXCLUDES = "excludes"


class Rule(StrEnum):
    """Every rule, the gravest first: of several that exclude, the first decides."""

    IDENTITY = "identity-certain"
    CATALOGUE = "in-catalogue"
    WITHDRAWN = "not-withdrawn"
    CURRENT = "current-version"
    SETTLED = "status-settled"
    SUPPLEMENT = "is-a-report"
    CRITICAL = "not-critical"
    EMERGENCY = "no-emergency"
    OPERATION = "not-before-operation"
    TRANSFUSION = "not-before-transfusion"
    FORENSIC = "not-forensic"
    NEVER = "allowed-in-setting"
    INFORMATION = "more-than-information"
    QUALITY = "quality-passed"
    ITEM = "same-item"
    SIDE = "same-side"
    SPECIMEN = "same-specimen"
    CONTENT = "result-there"
    GRADE = "images-acceptable"
    COMPLETE = "images-complete"
    HIDDEN = "images-not-rejected"
    SAMPLED = "sampling-known"
    FUTURE = "sampled-before-order"
    WINDOW = "still-valid"
    NEWEST = "newest"
    REACH = "mark-reaches"
    TIER = "tier-binds"
    UNIT = "same-unit"
    METHOD = "same-method"
    STABLE = "changes-slowly"
    EARLY = "too-early-to-repeat"


class Relation(StrEnum):
    """How what was found stands to what is asked. NEAR: same analyte or part of the body, done otherwise."""

    SAME = "same"
    NEAR = "near"
    OTHER = "other"


class RuleFinding(NamedTuple):
    """What one rule looked at, and what it found there. zh, en: the same for people.

    A tuple, in JSON as well: thirty-one stand in every verdict.
    """

    rule: Rule
    outcome: Outcome
    looked_at: str
    found: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Newer:
    """A later result of the same item. critical: its source called it so."""

    report_id: int
    sampled_at: dt.datetime
    critical: bool = False


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of the images, or the tracing, behind a report.

    shown: how many instances everybody sees. complete: no more are expected. hidden: why others are not shown, as codes
    of schemas.study.Hidden. grade: by the last reader. missing: what the hub found missing.
    """

    shown: int = 0
    complete: bool = True
    hidden: tuple[str, ...] = ()
    grade: Grade | None = None
    missing: tuple[Shortcoming, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is about to be ordered: one item; a panel is asked item by item.

    at: the moment of ordering, from which ages are counted. organization: where it is ordered.
    item: None for what is not in the catalogue. version: of the item. laterality: `L`, `R`, `B` or empty.
    """

    item: Item | None
    setting: Setting
    at: dt.datetime
    organization: Organization
    contexts: frozenset[Context] = frozenset()
    version: int = 0
    laterality: str = ""


@dataclass(frozen=True, slots=True)
class Prior:
    """A prior result as it is judged.

    item: what it is of; None where the catalogue has no such item. version: of that item.
    observation, slot: the single result and where it stands in the report; None for images and tracings.
    assessment: how the issuer's item stood when the specimen was taken. unit_code: its unit in UCUM, if it is known.
    doubts: what had to be assumed to find the item (`contrast`, `body-part`).
    """

    record: ReportRecord
    item: Item | None
    issuer: Organization
    assessment: Assessment = field(default_factory=lambda: Assessment(Assessed.UNKNOWN))
    observation: Observation | None = None
    slot: Slot | None = None
    version: int = 0
    laterality: str = ""
    doubts: tuple[str, ...] = ()
    unit_code: str = ""
    images: ImageFacts | None = None
    newer: Newer | None = None

    @property
    def sampled_at(self) -> dt.datetime | None:
        """The patient's clock; None where it was never told. Not the report's: it would make old results look new."""
        own = self.observation.observed_at if self.observation else None
        return own or self.record.report.observed_at


@dataclass(frozen=True, slots=True)
class QualityRef:
    """The version of a quality record that decided."""

    organization: str
    item: str
    method: str
    since: dt.date
    version: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What a verdict rests on: versions that are never changed, and what was so at that moment and may no longer be.

    at: the moment of ordering; quality records are meant as they were known at `judged_at`, our clock.
    ordering_kind, issuer_kind: of the institutions. region: version of the region's rules.
    """

    report_id: int
    report_version: int
    slot: Slot | None
    ordered: str
    ordered_version: int
    item: str
    item_version: int
    region: str
    setting: Setting
    at: dt.datetime
    judged_at: dt.datetime
    contexts: tuple[Context, ...]
    ordering: str
    ordering_kind: OrganizationKind
    issuer: str
    issuer_kind: OrganizationKind
    asked_laterality: str
    laterality: str
    doubts: tuple[str, ...]
    unit_code: str
    current: bool
    doubtful: bool
    assessed: Assessed
    quality: QualityRef | None
    images: ImageFacts | None
    newer: Newer | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The evidence pack. rule: the one that decided. findings: of every rule, in their order."""

    advice: Advice
    rule: Rule
    findings: tuple[RuleFinding, ...]
    basis: Basis

    def finding(self, rule: Rule) -> RuleFinding:
        """What one rule found."""
        return self.findings[tuple(Rule).index(rule)]

    @property
    def decisive(self) -> RuleFinding:
        """What the rule that decided found."""
        return self.finding(self.rule)

    @property
    def against(self) -> tuple[RuleFinding, ...]:
        """Everything that speaks against reuse, gravest first."""
        found = [each for each in self.findings if each.outcome is Outcome.EXCLUDES]
        return (*found, *(each for each in self.findings if each.outcome is Outcome.CAUTION))


@dataclass(frozen=True, slots=True)
class Judged:
    """A prior result with the verdict on it."""

    prior: Prior
    verdict: Verdict
    relation: Relation = Relation.SAME


@dataclass(frozen=True, slots=True)
class Line:
    """One item that an order asks for. judged: prior results of it, the most useful first; near: of near matches."""

    item: Item
    judged: tuple[Judged, ...] = ()
    near: tuple[Judged, ...] = ()

    @property
    def best(self) -> Judged | None:
        return self.judged[0] if self.judged else None

    @property
    def advice(self) -> Advice:
        return self.judged[0].verdict.advice if self.judged else Advice.NOT_SUGGESTED


_ORDER = (Advice.NOT_SUGGESTED, Advice.WITH_CAUTION, Advice.REUSABLE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is for one order. lines: one, or one for each item of a panel. number: the order's own.

    item: None for what is not in the catalogue; display: as it was asked.
    """

    item: Item | None
    lines: tuple[Line, ...] = ()
    number: str = ""
    display: str = ""

    @property
    def advice(self) -> Advice:
        """A panel is worth as much as the worst of its items."""
        return min((line.advice for line in self.lines), key=_ORDER.index, default=Advice.NOT_SUGGESTED)

    @property
    def covered(self) -> bool:
        """Whether every item asked for has a result that may be reused."""
        return bool(self.lines) and self.advice is not Advice.NOT_SUGGESTED

    @property
    def missing(self) -> tuple[Item, ...]:
        """The items of which no result may be reused."""
        return tuple(line.item for line in self.lines if line.advice is Advice.NOT_SUGGESTED)

    @property
    def shown(self) -> tuple[Judged, ...]:
        """Everything that there is, of all items."""
        return tuple(each for line in self.lines for each in (*line.judged, *line.near))
