"""What a source marks as critical: a floor under all rules. What its laboratory calls critical is critical."""

# Of HL7 v2 table 0078. HU and LU (significantly high, low) are only more than H and L by the letter; laboratories use
# them in place of HH and LL, and a repeat costs less than a panic value that was ticked off.
_TABLE = frozenset({"HH", "LL", "AA", "HU", "LU"})
# What laboratory systems write of their own: critical and panic, with and without a direction.
_OWN = frozenset({"HHH", "LLL", "C", "CR", "CH", "CL", "HC", "LC", "P", "PH", "PL", "PANIC", "CRIT", "CRITICAL"})
_CHINESE = "危"
# And where a source marks one of these with a sign of its own, as `H*`.
_ABNORMAL = frozenset("HLA↑↓")
_SIGNS = "*!"


def is_critical_mark(code: str) -> bool:
    """Whether a mark of OBX-8, or of an interpretation, calls a result critical."""
    said = code.strip().upper()
    plain = said.rstrip(_SIGNS)
    if plain in _TABLE or plain in _OWN or _CHINESE in said:
        return True
    if said == plain:
        return False
    # One star alone is how printers say abnormal; more of them, or an exclamation mark, say more.
    return plain in _ABNORMAL or (not plain and said != "*")
