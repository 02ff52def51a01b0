"""An order as it is asked about before it is placed."""

from dataclasses import dataclass

from .catalogue import Setting
from .codes import Coding
from .verdict import Context


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """What a doctor is about to order.

    services: codes or names of what is ordered. number: by which the ordering system knows it. setting: None where it
    was not told; then the strictest holds. contexts: what makes it weigh more than usual. laterality: `L`, `R`, `B`.
    diagnosis: code of ICD-10 for which it is ordered. reference: of the draft itself, `ServiceRequest/1`.
    """

    services: tuple[Coding, ...]
    setting: Setting | None = None
    contexts: frozenset[Context] = frozenset()
    number: str = ""
    laterality: str = ""
    diagnosis: str = ""
    reference: str = ""

    @property
    def display(self) -> str:
        return next((each.display or each.code for each in self.services), "")

    @property
    def told_setting(self) -> str:
        """In the words of a decision (schemas.recognition.Order)."""
        if Context.EMERGENCY in self.contexts:
            return "emergency"
        return self.setting.value if self.setting in (Setting.OUTPATIENT, Setting.INPATIENT) else ""
