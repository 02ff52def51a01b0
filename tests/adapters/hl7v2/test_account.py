"""What became of every segment and field: true by trying, and adding up for any message."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hl7v2 import trials
from adapters.hl7v2.account import examine
from adapters.hl7v2.batch import pieces
from adapters.hl7v2.reader import read
from schemas.accounts import Fate, FieldAccount, MessageAccount, SegmentAccount
from schemas.faults import Fault
from tests.adapters.hl7v2.values import origin

MSH = "MSH|^~\\&|LIS|CHC01|HUB|DX|20261121083000+0800||ORU^R01^ORU_R01|1|P|2.5.1|||||CHN|UNICODE UTF-8"
PID = "PID|1||P1^^^CHC01^MR||王^芳||19680412|F|||和平路 1 号"
OBR = "OBR|1|O1|F1|58410-2^血常规^LN|||20261121081500+0800|||||||||||||||20261121083000+0800||LAB|F"
POTASSIUM = "OBX|2|NM|2823-3^钾^LN||4.1|mmol/L|3.5-5.3|N|||F|||20261121081600+0800"


def message(*segments: str) -> bytes:
    return ("\r".join(segments) + "\r").encode()


def accounts(content: bytes) -> tuple[MessageAccount, ...]:
    return examine(content, origin()).accounts


def segment(account: MessageAccount, place: str) -> SegmentAccount:
    return next(each for each in account.segments if each.place == place)


def field(account: MessageAccount, place: str, number: int) -> FieldAccount:
    return next(each for each in segment(account, place).fields if each.number == number)


def sums(account: MessageAccount) -> tuple[int, int, int, int]:
    fates = [each.fate for each in account.segments]
    return len(fates), fates.count(Fate.MAPPED), fates.count(Fate.KEPT), fates.count(Fate.FLAGGED)


def test_no_result_behind_a_specimen_is_lost() -> None:
    # Test 1 of the accounting: a rival dropped every OBX behind an SPM and reported success.
    content = message(MSH, PID, OBR, "SPM|1|||BLD^全血", "OBX|1|NM|718-7^血红蛋白^LN||96|g/L||L|||F", POTASSIUM)
    reading = read(io.BytesIO(content), origin())
    assert [each.code.code for each in reading.reports[0].observations] == ["718-7", "2823-3"]
    (account,) = accounts(content)
    for place in ("SPM[1]", "OBX[1]", "OBX[2]"):
        assert segment(account, place).fate is Fate.MAPPED
    assert field(account, "OBX[2]", 5).became == ("observation.value",)
    assert field(account, "OBX[1]", 8).became == ("observation.interpretation",)
    assert field(account, "SPM[1]", 4).became == ("report.specimen",)


def test_a_field_is_what_it_became_or_says_why_not() -> None:
    (account,) = accounts(message(MSH, PID, "ORC|RE|O1|F1", OBR, POTASSIUM, "ZXX|1|own"))
    assert field(account, "PID[1]", 5) == FieldAccount(5, Fate.MAPPED, ("patient.name",))
    assert field(account, "OBR[1]", 25).became[-1] == "report.status"
    assert field(account, "MSH[1]", 4).became == ("delivery.source",)
    assert "acknowledgement.processing_id" in field(account, "MSH[1]", 11).became
    assert field(account, "MSH[1]", 18).became == ("message.charset",)
    for place, number in (("PID[1]", 11), ("OBX[1]", 1), ("ZXX[1]", 2)):
        kept = field(account, place, number)
        assert (kept.fate, kept.became) == (Fate.KEPT, ())
        assert kept.reason
    assert segment(account, "ZXX[1]").fate is Fate.KEPT


def test_a_field_that_was_read_and_passed_over_is_not_mapped() -> None:
    # OBR-2 and OBR-3 say the same and go first.
    (account,) = accounts(message(MSH, PID, "ORC|RE|O1|F1", OBR, POTASSIUM))
    assert field(account, "ORC[1]", 3).fate is Fate.KEPT
    (account,) = accounts(message(MSH, PID, "ORC|RE|O1|F1", OBR.replace("|O1|F1|", "|||"), POTASSIUM))
    assert field(account, "ORC[1]", 3).became == ("report.filler_order_number",)


def test_what_is_doubtful_is_flagged_at_its_field() -> None:
    (account,) = accounts(message(MSH, PID, OBR, POTASSIUM.replace("|4.1|", "|溶血|").replace("||F|||", "||Q|||")))
    value, status = field(account, "OBX[1]", 5), field(account, "OBX[1]", 11)
    assert (value.fate, value.reason) == (Fate.FLAGGED, "not a number, kept as text")
    assert value.became == ("observation.value",)
    assert status.fate is Fate.FLAGGED
    assert segment(account, "OBX[1]").fate is Fate.FLAGGED


def test_a_refused_message_says_where() -> None:
    (account,) = accounts(message(MSH, "PID|1||||王^芳", OBR, POTASSIUM))
    assert (account.category, account.where) == ("invalid", "PID-3")
    assert field(account, "PID[1]", 3).fate is Fate.FLAGGED
    assert sums(account) == (4, 0, 3, 1)
    assert {each.fate for each in segment(account, "OBX[1]").fields} == {Fate.KEPT}


def test_of_a_batch_each_message_has_its_account() -> None:
    good = message(MSH, PID, OBR, POTASSIUM)
    found = accounts(b"FHS|^~\\&|LIS\r" + good + message(MSH, "PID|1", OBR) + good + b"FTS|3\r")
    assert [each.category for each in found] == ["", "invalid", ""]
    assert field(found[0], "FHS[1]", 3).reason == "envelope of a batch"


def test_an_account_holds_no_content() -> None:
    (account,) = accounts(message(MSH, PID.replace("19680412", "19684444"), OBR, POTASSIUM.replace("4.1", "秘密")))
    told = repr(account)
    for secret in ("王", "芳", "和平路", "19684444", "秘密", "P1"):
        assert secret not in told


def test_segments_and_fields_tell_the_same_story(samples: Path) -> None:
    """The ledger, which the mapping keeps, against the trials, which know nothing of it."""
    files = sorted(path for path in (samples / "hl7").rglob("*") if path.is_file())
    for path in files:
        for account in accounts(path.read_bytes()):
            for each in [] if account.category else account.segments:
                became = any(field.became for field in each.fields)
                # A note or a specimen may have been read and been empty.
                if became or each.name not in ("SPM", "NTE", "TXA"):
                    assert became == (each.fate is not Fate.KEPT), (path.name, each.place)


def test_the_stored_sums_are_those_of_the_account(samples: Path) -> None:
    compared = 0
    for path in sorted(path for path in (samples / "hl7").rglob("*") if path.is_file()):
        for content in pieces(path.read_bytes()):
            try:
                stored = read(io.BytesIO(content), origin()).accounting
            except Fault:
                continue
            (account,) = accounts(content)
            assert (stored.total, stored.mapped, stored.kept, stored.flagged) == sums(account), path.name
            compared += 1
    assert compared > 30


def test_a_long_message_without_numbers_and_in_two_character_sets_is_told_too() -> None:
    results = [POTASSIUM.replace("OBX|2", f"OBX|{n}").encode("gb18030") for n in range(40)]
    head = "\r".join([MSH.replace("|1|P|", "||P|"), PID, OBR.replace("|O1|F1|", "|||")])
    (account,) = accounts(b"\r".join([head.encode(), *results]) + b"\r")
    assert field(account, "OBX[40]", 5).became == ("observation.value",)


@pytest.mark.parametrize("count", [40, 400])
def test_a_long_message_is_told_to_its_end(count: int) -> None:
    results = [POTASSIUM.replace("OBX|2", f"OBX|{n}").replace("4.1", f"4.{n}") for n in range(count)]
    (account,) = accounts(message(MSH, PID, OBR, *results))
    last = segment(account, f"OBX[{count}]")
    assert {number: f.fate for f in last.fields if (number := f.number) in (3, 5, 6, 7, 8)} == dict.fromkeys(
        (3, 5, 6, 7, 8), Fate.MAPPED
    )


def test_beyond_the_budget_fields_are_told_by_their_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_BUDGET", 3000)
    (account,) = accounts(message(MSH, PID, OBR, *[POTASSIUM] * 60))
    last = field(account, "OBX[60]", 5)
    assert last.became == ("observation.value",)
    assert "too long" in last.reason


_SEGMENTS = st.sampled_from(
    [MSH, PID, "PID|1", OBR, POTASSIUM, "OBX|1|NM|||x", "NTE|1||note", "SPM|1", "ORC|RE", "ZZZ|1", "text", ""]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(_SEGMENTS, st.text(max_size=20)), max_size=12))
def test_the_sum_holds_for_any_message(segments: list[str]) -> None:
    content = message(MSH, *segments)
    for account in accounts(content):
        total, mapped, kept, flagged = sums(account)
        assert total == mapped + kept + flagged
        assert all(bool(f.became or f.reason) for each in account.segments for f in each.fields)
    try:
        stored = read(io.BytesIO(content), origin()).accounting
    except Fault:
        return
    assert stored.mapped + stored.kept + stored.flagged == stored.total
