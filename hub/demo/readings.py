"""What radiologists of the imaging centre write about each kind of study: findings, and their impression."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Procedure:
    """code: LOINC. wordings: (findings, impression) pairs, the usual one first."""

    code: str
    name: str
    wordings: tuple[tuple[str, str], ...]


CHEST_CT = Procedure(
    "29252-4",
    "胸部CT平扫",
    (
        (
            "胸廓对称。右肺中叶见一实性结节，直径约13 mm，边缘光整，CT值约35 HU，未见明显毛刺及分叶。"
            "余肺野清晰，支气管通畅。纵隔未见肿大淋巴结。心影大小形态正常。双侧胸腔未见积液。所见肋骨及胸椎骨质未见异常。",
            "右肺中叶实性结节（约13 mm），建议3个月后复查CT。",
        ),
    ),
)
HEAD_MR = Procedure(
    "30657-1",
    "头颅MR平扫",
    (
        (
            "双侧大脑半球对称，灰白质分界清楚，脑实质内未见明确异常信号。侧脑室大小形态正常，中线结构居中。脑沟、脑裂未见增宽。",
            "头颅MR平扫未见明确异常。",
        ),
        (
            "双侧半卵圆中心及侧脑室旁见散在点状T2高信号，边界清。脑室系统未见扩张，中线结构居中。",
            "脑内散在缺血灶，请结合临床。",
        ),
    ),
)
CHEST_RADIOGRAPH = Procedure(
    "24648-8",
    "胸部正位DR",
    (
        (
            "胸廓对称，双肺纹理清晰，未见实变影。双肺门不大，心影大小形态正常，双侧膈面光整，肋膈角锐利。",
            "心肺膈未见异常。",
        ),
        ("双肺纹理增多、增粗，未见实变影。主动脉结突出，心影稍大。双侧肋膈角锐利。", "双肺纹理增多；主动脉硬化。"),
    ),
)
ABDOMINAL_ULTRASOUND = Procedure(
    "24558-9",
    "腹部超声",
    (
        (
            "肝脏大小正常，实质回声均匀，血管走行清晰。胆囊大小正常，壁不厚，腔内见一强回声团，直径约11 mm，"
            "后伴声影，可随体位移动。胆总管不扩张。胰、脾、双肾未见异常。",
            "胆囊结石。",
        ),
    ),
)
RADIOLOGISTS = ("顾明远", "叶知秋", "程砚行")
