"""Which messages are taken, and who reads them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from schemas.delivery import Reading

from . import adt, mdm, orders, oru, oul
from .context import Context

# By message code and trigger event (MSH-9.1, MSH-9.2); an empty trigger is what senders leave out.
KINDS: Mapping[tuple[str, str], Callable[[Context], Reading]] = MappingProxyType(
    {
        **{("ORU", trigger): oru.read for trigger in ("R01", "", "R30", "R31", "R32")},
        **{("OUL", trigger): oul.read for trigger in ("R21", "R22", "R23", "R24")},
        # Those that carry the document; a notification of one that is not there would leave an empty report.
        **{("MDM", trigger): mdm.read for trigger in ("T02", "T04", "T06", "T08", "T10", "T11")},
        ("ORM", "O01"): orders.read,
        ("OML", "O21"): orders.read,
        ("OMI", "O23"): orders.read,
        ("OMG", "O19"): orders.read,
        **{("ADT", trigger): adt.read for trigger in ("A01", "A04", "A08", "A28", "A31")},
        **{("ADT", trigger): adt.read_merges for trigger in ("A18", "A34", "A40")},
    }
)
