"""HL7 v2 as senders write it: one line a segment, of which a test changes the one that its case is about."""

SERVICE = "58410-2^血常规^LN"


def msh(
    control_id: str,
    *,
    kind: str = "ORU^R01^ORU_R01",
    facility: str = "CHC01",
    version: str = "2.5.1",
    charset: str = "UNICODE UTF-8",
    marks: str = "^~\\&",
    at: str = "20261121103000+0800",
) -> str:
    """A header that asks for one acknowledgement, in original mode."""
    return f"MSH|{marks}|LIS|{facility}|DXHUB|DX|{at}||{kind}|{control_id}|P|{version}|||||CHN|{charset}"


def pid(number: str, name: str = "测试^甲", born: str = "19800101", sex: str = "M") -> str:
    """A patient under a number of the sender's own."""
    return f"PID|1||{number}^^^CHC01^MR||{name}||{born}|{sex}"


def obr(
    filler: str,
    status: str = "F",
    *,
    service: str = SERVICE,
    placer: str = "",
    observed: str = "20261121100000+0800",
    issued: str = "20261121102900+0800",
    section: str = "LAB",
) -> str:
    """An order."""
    return f"OBR|1|{placer}|{filler}|{service}|||{observed}|||||||||||||||{issued}||{section}|{status}"


def obx(
    code: str,
    value: str,
    kind: str = "NM",
    *,
    sub_id: str = "",
    unit: str = "",
    reference: str = "",
    flag: str = "",
    status: str = "F",
) -> str:
    """A result."""
    return f"OBX|1|{kind}|{code}|{sub_id}|{value}|{unit}|{reference}|{flag}|||{status}"


HGB = "718-7^血红蛋白^LN"
WBC = "6690-2^白细胞计数^LN"


def message(*segments: str, end: str = "\r", codec: str = "utf-8") -> bytes:
    """The segments as a sender's bytes."""
    return "".join(segment + end for segment in segments).encode(codec)


def result(control_id: str, *segments: str) -> bytes:
    """One message in UTF-8 behind a plain header."""
    return message(msh(control_id), *segments)
