"""What a waiting delivery would become."""

from dataclasses import dataclass

from schemas.accounts import Examined
from schemas.delivery import DeliveryRecord, Format, Reading
from schemas.faults import Fault


@dataclass(frozen=True, slots=True)
class Preview:
    """Either `reading` or `fault`: what the reader makes of it under the profile that was tried.

    examined: what became of every field, where the format's adapter can say.
    """

    record: DeliveryRecord
    format: Format
    reading: Reading | None
    fault: Fault | None
    examined: Examined | None = None
