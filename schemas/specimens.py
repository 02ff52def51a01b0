"""What specimens are, as laboratories write them: enough to tell blood from urine.

Serum, plasma and whole blood count as one: which of them an analyte needs is told by its LOINC code, and laboratories
write 静脉血 for all three. Arterial, capillary and cord blood are others. Source: HL7 v2 table 0487; WS 445.10.
"""

from functools import lru_cache

_WORDS = {
    "arterial blood": ("arterial", "动脉血", "blda", "血气"),
    "capillary blood": ("capillary", "末梢血", "指血", "bldc"),
    "cord blood": ("cord", "脐血", "脐带血", "bldco"),
    "urine": ("urine", "尿", "ur"),
    "stool": ("stool", "faeces", "feces", "粪", "大便", "便"),
    "csf": ("csf", "脑脊液", "cerebrospinal"),
    "sputum": ("sputum", "痰", "spt"),
    "fluid": ("pleural", "ascit", "胸水", "胸腔积液", "腹水", "积液", "fluid"),
    "swab": ("swab", "拭子", "分泌物"),
    "blood": ("blood", "serum", "plasma", "血", "ser", "plas", "bld", "bldv"),
}
_SHORT = 4


@lru_cache(maxsize=1024)
def kind_of(text: str) -> str:
    """The kind of specimen that words or a code stand for; empty where they are not understood."""
    told = text.strip().casefold()
    for kind, words in _WORDS.items():
        # A short Latin code must be all that was told: `ur` is in `culture`.
        if any(told == word or (word in told and (not word.isascii() or len(word) > _SHORT)) for word in words):
            return kind
    return ""
