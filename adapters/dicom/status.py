"""A fault as a C-STORE status. Source: DICOM PS3.4 B.2.3, PS3.7 annex C; the house's table of failures."""

from schemas.faults import Category, Fault

SUCCESS = 0x0000

STATUS: dict[Category, int] = {
    Category.INVALID: 0xC000,  # cannot understand
    Category.UNSUPPORTED: 0x0122,  # SOP class not supported
    Category.NOT_FOUND: 0x0112,  # no such SOP instance
    Category.CONFLICT: 0x0111,  # duplicate SOP instance
    Category.FORBIDDEN: 0x0124,  # refused: not authorized
    Category.BUSY: 0xA700,  # refused: out of resources
    Category.INTERNAL: 0x0110,  # processing failure
}


def status(fault: Fault | None) -> int:
    """The status to answer with; success where there is no fault."""
    return SUCCESS if fault is None else STATUS[fault.category]


def comment(fault: Fault | None) -> str:
    """(0000,0902) Error Comment: LO, at most 64 characters of the default repertoire, hence the place first."""
    text = f"{fault.where}: {fault.text}" if fault and fault.where else fault.text if fault else ""
    return "".join(character if " " <= character <= "~" and character != "\\" else "?" for character in text)[:64]
