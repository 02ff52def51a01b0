"""What a community laboratory measures: panels and their analytes, with codes, units, and reference intervals.

Codes: LOINC. Units: UCUM. Intervals for adults: WS/T 404, WS/T 405 and WS/T 779 where they define one, else those
that reagents commonly come with. Critical limits differ by laboratory; these are one laboratory's.
"""

import math
from dataclasses import dataclass

Interval = tuple[float, float]
_NONE: Interval = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Analyte:
    """One measurand. men, women: reference intervals, infinite where open. critical: beyond it the result is HH or LL.

    spread: how far repeated results of one person lie apart (coefficient of variation, as a fraction).
    """

    local: str
    code: str
    name: str
    unit: str
    decimals: int
    men: Interval
    women: Interval
    spread: float
    critical: Interval = _NONE


@dataclass(frozen=True, slots=True)
class Panel:
    """What is ordered together. section: HL7 table 0074 (OBR-24). catalogue: code of the panel."""

    local: str
    code: str
    name: str
    section: str
    specimen: str
    analytes: tuple[Analyte, ...]


def _both(
    local: str,
    code: str,
    name: str,
    unit: str,
    decimals: int,
    interval: Interval,
    spread: float,
    critical: Interval = _NONE,
) -> Analyte:
    return Analyte(local, code, name, unit, decimals, interval, interval, spread, critical)


_INF = math.inf
_SERUM = "血清"
PANELS = {
    panel.local: panel
    for panel in (
        Panel(
            "CBC",
            "58410-2",
            "血常规",
            "HM",
            "全血",
            (
                _both("WBC", "6690-2", "白细胞计数", "10*9/L", 2, (3.5, 9.5), 0.12, (1.5, 30)),
                _both("NEUT%", "770-8", "中性粒细胞百分比", "%", 1, (40, 75), 0.08),
                _both("LYMPH%", "736-9", "淋巴细胞百分比", "%", 1, (20, 50), 0.08),
                Analyte("RBC", "789-8", "红细胞计数", "10*12/L", 2, (4.3, 5.8), (3.8, 5.1), 0.03),
                Analyte("HGB", "718-7", "血红蛋白", "g/L", 0, (130, 175), (115, 150), 0.03, (60, 200)),
                Analyte("HCT", "4544-3", "红细胞比容", "%", 1, (40, 50), (35, 45), 0.03),
                _both("MCV", "787-2", "平均红细胞体积", "fL", 1, (82, 100), 0.02),
                _both("PLT", "777-3", "血小板计数", "10*9/L", 0, (125, 350), 0.08, (31, 999)),
            ),
        ),
        Panel(
            "LFT",
            "24325-3",
            "肝功能",
            "CH",
            _SERUM,
            (
                Analyte("ALT", "1742-6", "丙氨酸氨基转移酶", "U/L", 0, (9, 50), (7, 40), 0.12),
                Analyte("AST", "1920-8", "天门冬氨酸氨基转移酶", "U/L", 0, (15, 40), (13, 35), 0.1),
                Analyte("GGT", "2324-2", "γ-谷氨酰转移酶", "U/L", 0, (10, 60), (7, 45), 0.1),
                _both("TBIL", "14631-6", "总胆红素", "umol/L", 1, (3, 26), 0.15),
                _both("TP", "2885-2", "总蛋白", "g/L", 1, (65, 85), 0.03),
                _both("ALB", "1751-7", "白蛋白", "g/L", 1, (40, 55), 0.03),
            ),
        ),
        Panel(
            "RFT",
            "24362-6",
            "肾功能",
            "CH",
            _SERUM,
            (
                Analyte("UREA", "22664-7", "尿素", "mmol/L", 2, (3.1, 8.0), (2.6, 7.5), 0.1, (0, 36)),
                Analyte("CREA", "14682-9", "肌酐", "umol/L", 0, (57, 97), (41, 73), 0.05, (0, 650)),
                Analyte("UA", "14933-6", "尿酸", "umol/L", 0, (208, 428), (155, 357), 0.08),
                _both("eGFR", "62238-1", "估算肾小球滤过率", "mL/min/{1.73_m2}", 0, (90, _INF), 0),
            ),
        ),
        Panel(
            "LIPID",
            "24331-1",
            "血脂",
            "CH",
            _SERUM,
            (
                _both("TC", "14647-2", "总胆固醇", "mmol/L", 2, (0, 5.2), 0.04),
                _both("TG", "14927-8", "甘油三酯", "mmol/L", 2, (0, 1.7), 0.15),
                _both("HDL-C", "14646-4", "高密度脂蛋白胆固醇", "mmol/L", 2, (1.0, _INF), 0.05),
                _both("LDL-C", "39469-2", "低密度脂蛋白胆固醇", "mmol/L", 2, (0, 3.4), 0.05),
            ),
        ),
        Panel(
            "GLU",
            "14771-0",
            "空腹血糖",
            "CH",
            _SERUM,
            (_both("GLU", "14771-0", "空腹血糖", "mmol/L", 2, (3.9, 6.1), 0.05, (2.8, 22.2)),),
        ),
        Panel(
            "HBA1C",
            "4548-4",
            "糖化血红蛋白",
            "CH",
            "全血",
            (_both("HbA1c", "4548-4", "糖化血红蛋白", "%", 1, (4.0, 6.0), 0.02),),
        ),
        Panel(
            "ELEC",
            "24326-1",
            "电解质",
            "CH",
            _SERUM,
            (
                _both("K", "2823-3", "钾", "mmol/L", 2, (3.5, 5.3), 0.04, (2.8, 6.2)),
                _both("Na", "2951-2", "钠", "mmol/L", 0, (137, 147), 0.01, (120, 160)),
                _both("Cl", "2075-0", "氯", "mmol/L", 0, (99, 110), 0.01),
                _both("Ca", "2000-8", "钙", "mmol/L", 2, (2.11, 2.52), 0.02, (1.6, 3.5)),
            ),
        ),
        Panel(
            "TFT",
            "24348-5",
            "甲状腺功能",
            "CH",
            _SERUM,
            (
                _both("TSH", "3016-3", "促甲状腺激素", "m[IU]/L", 2, (0.55, 4.78), 0.12),
                _both("FT3", "14928-6", "游离三碘甲状腺原氨酸", "pmol/L", 2, (3.5, 6.5), 0.05),
                _both("FT4", "14920-3", "游离甲状腺素", "pmol/L", 2, (11.5, 22.7), 0.05),
            ),
        ),
    )
}
