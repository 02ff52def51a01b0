"""What a clinician, a technician, an administrator and an auditor find on their pages."""

import csv
import http.client
import re
from dataclasses import replace

import pytest

from schemas.delivery import Receipt, State
from schemas.disclosure import Role
from schemas.faults import Busy
from schemas.recognition import Decided, reason_list
from schemas.report import ReportStatus

from . import fakes
from .conftest import Person, Portal, field

WHOLE_PAGE = "<!doctype html>"


def test_search_shows_who_is_meant_without_the_whole_identity_number(clinician: Person) -> None:
    page = clinician.get("/patients?q=王").text
    assert "共 2 位患者" in page
    assert "1968-04-12" in page
    assert "CHC03-004417" in page
    assert "••••3320" in page
    assert "990101196804123320" not in page
    assert page.count("身份存疑") == 1  # only 王建国 is in doubt


@pytest.mark.parametrize("text", ["王芳", "wf", "WF", " wang fang ", "990101196804123320", "CHC03-004417"])
def test_search_takes_whatever_is_at_hand(clinician: Person, text: str) -> None:
    assert 'href="/patients/1"' in clinician.client.get("/patients", params={"q": text}).text


def test_typing_swaps_the_results_alone(clinician: Person) -> None:
    piece = clinician.piece("/patients?q=wf").text
    assert WHOLE_PAGE not in piece
    assert 'href="/patients/1"' in piece
    assert WHOLE_PAGE in clinician.get("/patients?q=wf").text


def test_a_search_that_finds_nobody_says_what_to_do_next(clinician: Person) -> None:
    assert "未找到患者" in clinician.get("/patients?q=zzz").text
    assert "要查找哪位患者" in clinician.get("/patients").text


def test_the_timeline_holds_all_kinds_from_all_institutions(clinician: Person) -> None:
    page = clinician.get("/patients/1").text
    for words in ("血常规", "胸部 CT", "静息心电图", "青松街道社区卫生服务中心", "区中心医院", "市立医院"):
        assert words in page
    assert page.index("2026-11") < page.index("2026-10") < page.index("2025-10")
    assert "危急值" in page
    assert "钾 2.6 ↓↓" in page
    assert "已互认" in page
    assert "不互认" in page
    assert "已撤回" in page


def test_the_timeline_shows_one_kind_when_asked(clinician: Person) -> None:
    piece = clinician.piece("/patients/1?kind=ecg").text
    assert WHOLE_PAGE not in piece
    assert "静息心电图" in piece
    assert "血常规" not in piece
    assert clinician.get("/patients/1?kind=nonsense").status_code == 200


def test_a_doubtful_patient_carries_a_warning_before_anything_else(clinician: Person) -> None:
    page = clinician.get("/patients/2").text
    assert page.index("患者身份存疑") < page.index("时间轴")
    assert "患者身份存疑" not in clinician.get("/patients/1").text


def test_a_patient_without_reports_gets_a_page_all_the_same(clinician: Person) -> None:
    assert "没有报告" in clinician.get("/patients/4").text


def test_values_carry_a_sign_and_words_beside_their_colour(clinician: Person) -> None:
    page = clinician.get("/reports/1").text
    row = re.search(r'<tr class="tone-critical.*?</tr>', page, re.DOTALL)
    assert row
    for words in ("钾", "2.6", "↓↓", "危急偏低", "mmol/L", "3.5-5.3"):
        assert words in row[0]
    assert "2026-11-20 10:30" in page  # the district's clock


def test_the_trend_compares_only_like_with_like(clinician: Person) -> None:
    piece = clinician.piece("/reports/1/trend?code=718-7&system=http://loinc.org&unit=g/L").text
    assert "血红蛋白" in piece
    assert "各机构共 3 次可比测量" in piece
    assert "市立医院" in piece
    assert "本报告" in piece
    assert "&#34;low&#34;: 115.0, &#34;high&#34;: 150.0" in piece


def test_images_are_fetched_from_this_hub_in_slice_order(clinician: Person) -> None:
    page = clinician.get("/reports/4").text
    frames = re.findall(r"instances/(1\.2[\d.]+)/rendered", page)
    assert frames[:3] == [f"{fakes.STUDY_UID}.9.{n}" for n in (1, 2, 3)]
    assert len(frames) == 14
    assert "肺窗" in page


def test_a_written_report_without_images_says_so(clinician: Person) -> None:
    assert "没有可显示的影像" in clinician.get("/reports/10").text


def test_images_lead_to_what_another_institution_wrote_of_them(clinician: Person, portal: Portal) -> None:
    written = next(r for r in portal.verbs.query.reports_ if r.id == 4 and r.current)
    bare = replace(written.report, status=ReportStatus.PARTIAL, conclusion="", findings="")
    portal.verbs.query.reports_.append(replace(written, id=40, version=1, organization="DH1", report=bare))
    page = clinician.get("/reports/40").text
    assert "尚未收到与影像对应的文字报告" not in page
    assert "仅有影像，尚无文字报告" not in page
    assert 'href="/reports/4"' in page
    assert "右肺下叶磨玻璃结节，建议 6 个月后复查。" in page


def test_images_that_nobody_read_say_so(clinician: Person, portal: Portal) -> None:
    written = next(r for r in portal.verbs.query.reports_ if r.id == 4 and r.current)
    bare = replace(written.report, status=ReportStatus.PARTIAL, conclusion="", findings="", study_instance_uid="1.9")
    portal.verbs.query.reports_.append(replace(written, id=40, version=1, report=bare))
    assert "尚未收到与影像对应的文字报告" in clinician.get("/reports/40").text


def test_an_unconfirmed_ecg_cannot_be_taken_for_a_confirmed_one(clinician: Person) -> None:
    for address in ("/reports/5", "/reports/5/ecg/paper"):
        page = clinician.get(address).text
        assert 'class="watermark"' in page
        assert "未经确认" in page
    assert "尚未经审核确认" in clinician.get("/reports/5").text


def test_an_ecg_that_is_only_a_document_is_shown_and_marked(clinician: Person) -> None:
    page = clinician.get("/reports/6").text
    assert "没有可测量或对比的波形" in page
    address = re.search(r'<iframe[^>]* src="([^"]+)"', page)
    assert address
    document = clinician.get(address[1].replace("&amp;", "&"))
    assert document.headers["content-type"] == "application/pdf"
    assert document.headers["content-disposition"].startswith("inline")
    assert "frame-ancestors 'self'" in document.headers["content-security-policy"]
    assert document.content == fakes.PDF


def test_an_earlier_version_says_that_it_was_replaced(clinician: Person) -> None:
    page = clinician.get("/reports/4?version=1").text
    assert "该版本已被替换" in page
    assert "左肺下叶" in page
    assert 'value="recognised" required disabled' in page
    assert "本报告为更正报告" in clinician.get("/reports/4").text


def test_a_withdrawn_report_says_so_and_cannot_be_recognised(clinician: Person) -> None:
    page = clinician.get("/reports/7").text
    assert "出具机构已撤回本报告" in page
    assert 'value="recognised" required disabled' in page


def test_the_original_is_saved_never_opened(clinician: Person) -> None:
    answer = clinician.get("/reports/1/original")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''delivery%20%221%22.hl7"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.content == fakes.HL7.encode()


def test_two_clicks_recognise(clinician: Person, portal: Portal) -> None:
    answer = clinician.client.post(
        "/reports/1/decisions",
        data={"version": "1", "choice": "recognised"},
        headers={"X-CSRF-Token": clinician.csrf, "HX-Request": "true", "HX-Request-Type": "partial"},
    )
    made = portal.verbs.query.decisions_[-1]
    assert (made.verdict, made.version, made.reason, made.organization) == (Decided.RECOGNISED, 1, "", "DH1")
    assert WHOLE_PAGE not in answer.text
    assert "您的决定已记录" in answer.text
    assert "本机构" in answer.text


def test_a_refusal_keeps_reason_comment_and_what_was_to_be_ordered(clinician: Person, portal: Portal) -> None:
    words = {"choice": "04", "comment": "急诊入院", "order": "血常规", "setting": "emergency", "department": "急诊"}
    answer = clinician.send("/reports/1/decisions", version="1", **words)
    assert answer.headers["location"] == "/reports/1?version=1"
    made = portal.verbs.query.decisions_[-1]
    assert (made.verdict, made.reason, made.comment) == (Decided.NOT_RECOGNISED, "04", "急诊入院")
    assert (made.order.display, made.order.setting, made.order.department) == ("血常规", "emergency", "急诊")
    assert "急诊、急救" in clinician.get("/reports/1").text


@pytest.mark.parametrize("words", [{"choice": "77"}, {}, {"choice": ""}])
def test_a_decision_without_a_reason_of_the_list_is_not_recorded(
    clinician: Person, portal: Portal, words: dict[str, str]
) -> None:
    answer = clinician.send("/reports/1/decisions", version="1", **words)
    assert 'role="alert"' in answer.text
    assert len(portal.verbs.query.decisions_) == 3


@pytest.mark.parametrize("version", ["", "x", "-1", "999999999999", "²"])
def test_a_decision_names_the_version_that_was_seen(clinician: Person, portal: Portal, version: str) -> None:
    assert clinician.send("/reports/1/decisions", version=version, choice="recognised").status_code in {400, 404}
    assert len(portal.verbs.query.decisions_) == 3


def test_the_box_offers_every_reason_of_the_list_and_what_speaks_against_reuse(clinician: Person) -> None:
    page = clinician.get("/reports/1").text
    for reason in reason_list().reasons:
        assert reason.zh in page
    assert reason_list().version in page
    assert "含危急值" in page


def test_who_may_not_decide_sees_the_decisions_without_the_form(visitor: Person) -> None:
    visitor.sign_in(Role.QUALITY)
    page = visitor.get("/reports/1").text
    assert "赵医生" in page
    assert 'name="choice"' not in page


def test_the_quality_officer_sees_figures_and_every_decision(visitor: Person) -> None:
    visitor.sign_in(Role.QUALITY)
    page = visitor.get("/decisions").text
    assert "66.7 %" in page  # two of three results that there were
    assert "50.0 %" in page  # one of two reminders was adopted
    assert "¥ 50" in page
    assert "赵医生" in page


def test_a_table_of_figures_goes_into_a_spreadsheet_and_runs_nothing_there(visitor: Person) -> None:
    visitor.sign_in(Role.QUALITY)
    sheet = visitor.get("/decisions/by_institution.csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(sheet.text.removeprefix("\ufeff").splitlines()))
    assert lines[0][2:5] == ["可互认结果数", "已调阅", "已互认"]
    assert lines[1][:5] == ["DH1", "区第一人民医院", "2", "2", "2"]
    assert lines[2][0] == "'=HYPERLINK()"
    assert visitor.get("/decisions/by_patient.csv").status_code == 400
    assert visitor.get("/decisions?since=yesterday").status_code == 400


def test_every_file_gets_its_own_receipt(technician: Person, portal: Portal) -> None:
    files = [("files", ("一.dcm", b"good")), ("files", ("二.dcm", b"bad file")), ("files", ("三.dcm", b"x"))]
    answer = technician.client.post("/upload", data={"csrf": technician.csrf}, files=files)
    assert answer.text.count('class="receipt ') == 3
    assert answer.text.count("已接收，可供查询。") == 2
    assert "expected a Part 10 file, found no DICM prefix" in answer.text
    assert "byte 128" in answer.text
    assert "文件已保存" in answer.text
    assert portal.verbs.ingest.hints == [None, None, None]


def test_a_pdf_goes_with_the_patient_that_was_typed_beside_it(technician: Person, portal: Portal) -> None:
    words = {"csrf": technician.csrf, "name": "王芳", "resident_number": "990101196804120023", "category": "ecg"}
    words["observed_at"] = "2026-11-21T08:15"
    technician.client.post("/upload", data=words, files=[("files", ("a.pdf", fakes.PDF))])
    (hint,) = portal.verbs.ingest.hints
    assert hint is not None
    assert hint.patient.name.text == "王芳"
    assert str(hint.patient.birth_date) == "1968-04-12"
    assert hint.patient.sex == "female"
    assert hint.category == "ecg"
    assert hint.observed_at is not None
    assert hint.observed_at.isoformat() == "2026-11-21T08:15:00+08:00"


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ({"name": "王芳"}, "resident_number"),
        ({"resident_number": "990101196804120023"}, "name"),
        ({"name": "王芳", "resident_number": "990101196804120024"}, "resident_number"),
        ({"name": "王芳", "card_number": "7", "birth_date": "1968-13-01"}, "birth_date"),
        ({"name": "王芳", "card_number": "7", "observed_at": "yesterday"}, "observed_at"),
    ],
)
def test_a_patient_who_cannot_be_is_refused_before_anything_is_taken(
    technician: Person, portal: Portal, words: dict[str, str], where: str
) -> None:
    answer = technician.client.post(
        "/upload", data={"csrf": technician.csrf, **words}, files=[("files", ("a.pdf", fakes.PDF))]
    )
    assert f"<code>{where}</code>" in answer.text
    assert not portal.verbs.ingest.hints


def test_a_form_without_a_file_is_no_error(technician: Person) -> None:
    answer = technician.client.post("/upload", data={"csrf": technician.csrf}, files=[("files", ("", b""))])
    assert answer.status_code == 200


def test_a_form_that_declares_too_much_is_refused_before_it_is_sent(technician: Person, portal: Portal) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in technician.client.cookies.items())
    connection = http.client.HTTPConnection(portal.address.removeprefix("http://"), timeout=20)
    connection.putrequest("POST", "/upload")
    for name, value in {"Cookie": cookies, "X-CSRF-Token": technician.csrf, "Content-Length": "2000000000"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_file_that_is_too_large_is_refused_by_itself(technician: Person, portal: Portal) -> None:
    files = [("files", ("large.dcm", b"0" * 1_500_000)), ("files", ("small.dcm", b"0"))]
    answer = technician.client.post("/upload", data={"csrf": technician.csrf}, files=files)
    assert "文件不得超过 1000000 字节" in answer.text
    assert len(portal.verbs.ingest.hints) == 1


def test_the_quarantine_shows_what_broke_and_where(admin: Person) -> None:
    page = admin.get("/quarantine").text
    assert "found none" in page
    assert "PID-3.4" in page
    assert "/quarantine/104" not in page
    assert "/quarantine/104" in admin.piece("/quarantine?state=all").text
    assert "没有待处理的来件" in admin.piece("/quarantine?state=held&q=zzz").text


def test_a_delivery_marks_the_line_at_which_its_fault_stands(admin: Person) -> None:
    page = admin.get("/quarantine/101").text
    marked = re.findall(r'<tr class="raw-marked">.*?</tr>', page, re.DOTALL)
    assert len(marked) == 1
    assert "PID|1||" in marked[0]
    assert "00000000" in admin.get("/quarantine/102").text


def test_a_replay_reads_the_kept_bytes_again(admin: Person, portal: Portal) -> None:
    assert admin.send("/quarantine/101/replay").headers["location"] == "/quarantine/101"
    assert portal.verbs.ingest.replayed == [101]
    assert "无需重新解析" in admin.send("/quarantine/102/replay").text


def test_a_replay_that_fails_again_says_so(admin: Person, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Receipt(101, "0" * 64, State.QUARANTINED, fakes.NOW, (), "invalid", "XML is not well-formed", "line 3")
    monkeypatch.setattr(portal.verbs.ingest, "replay", lambda *_, **__: refused)
    page = admin.send("/quarantine/101/replay").text
    assert "本次仍无法解析" in page
    assert "XML 格式不正确" in page
    assert "line 3" in page


def test_an_identity_doubt_shows_both_and_takes_one_answer(admin: Person, portal: Portal) -> None:
    page = admin.get("/doubts").text
    assert "出生日期不一致" in page
    assert "something-new" in page  # a reason that no word is known for yet
    assert admin.send("/doubts/1", decision="link", reason="电话核实").status_code == 303
    assert admin.send("/doubts/2", decision="keep-apart").status_code == 303
    assert admin.send("/doubts/3", decision="reopen").status_code == 303
    assert admin.send("/doubts/1", decision="delete").status_code == 400
    assert portal.verbs.identity.decided == [(1, True, "电话核实"), (2, False, "")]
    assert portal.verbs.identity.reopened == [3]


def test_the_auditor_filters_and_turns_pages(visitor: Person) -> None:
    visitor.sign_in(Role.AUDITOR)
    page = visitor.get("/audit")
    assert "DiagnosticReport/1" in page.text
    assert "offset=100" in page.text
    assert "第 101–150 条" in visitor.piece("/audit?offset=100").text
    assert "没有符合条件的记录" in visitor.piece("/audit?account=nobody").text
    assert "共 50 条记录" in visitor.piece("/audit?action=decide&account=clinician").text
    assert visitor.get("/audit?patient=%C2%B2&action=x").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/reports/99", 404), ("/reports/x", 400)])
def test_what_is_not_there_gets_a_page_with_a_way_on(clinician: Person, path: str, status: int) -> None:
    answer = clinician.get(path)
    assert answer.status_code == status
    assert "返回首页" in answer.text


def test_a_busy_hub_says_that_nothing_is_lost(clinician: Person, portal: Portal) -> None:
    portal.verbs.query.broken = Busy("the database is locked", where="database")
    answer = clinician.get("/patients/1")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "数据没有丢失" in answer.text
    piece = clinician.piece("/patients?q=wf")
    assert piece.status_code == 503
    assert WHOLE_PAGE not in piece.text


def test_a_bug_shows_nothing_of_the_patient(clinician: Person, portal: Portal) -> None:
    portal.verbs.query.broken = RuntimeError("王芳 990101196804123320")
    answer = clinician.get("/patients/1")
    assert answer.status_code == 500
    assert "王芳" not in answer.text
    assert "平台内部出错" in answer.text


def test_a_session_that_ended_leads_the_whole_page_to_sign_in(clinician: Person) -> None:
    clinician.client.cookies.clear()
    answer = clinician.piece("/patients?q=wf")
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"


def test_every_read_goes_through_the_asker(clinician: Person, portal: Portal) -> None:
    clinician.get("/reports/1")
    assert portal.verbs.query.asked
    assert {d.principal.account for d in portal.verbs.query.asked} == {"clinician"}
    assert {d.address for d in portal.verbs.query.asked} == {"127.0.0.1"}


def test_the_token_of_a_page_is_the_sessions_own(clinician: Person, portal: Portal) -> None:
    signed_in = portal.verbs.access.sessions[clinician.client.cookies["dxhub_session"]]
    assert field(clinician.get("/reports/1"), "csrf") == signed_in.csrf


def test_a_notice_shows_both_values_and_waits_for_one_click(clinician: Person) -> None:
    page = clinician.get("/notices").text
    assert "您互认了第 1 版" in page
    assert "<del>3.4 mmol/L</del>" in page
    assert "<strong>6.1 mmol/L HH</strong>" in page
    assert "<script>alert" not in page
    assert 'menu-count">1' in page
    assert "我已知晓" in clinician.get("/reports/4").text
    answer = clinician.client.post(
        "/notices/1/acknowledgement", data={"csrf": clinician.csrf, "from": "report", "remark": "已电话告知"}
    )
    assert answer.headers["location"] == "/reports/4"
    page = clinician.get("/notices").text
    assert "menu-count" not in page
    assert "已电话告知" in page
