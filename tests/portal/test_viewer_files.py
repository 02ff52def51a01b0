"""The viewer's files as a browser asks for them, and who gets them."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.access import disclosure_for
from hub.viewer import files
from schemas.disclosure import Action
from tests.viewing import PASSWORD, PEOPLE, Viewing, viewing

from .conftest import field

pytestmark = pytest.mark.xdist_group("viewer")
VIEWER = files.viewer()
ENTRY = VIEWER.root + VIEWER.entry


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewing]:
    with viewing(tmp_path_factory.mktemp("viewer_files")) as made:
        yield made


@pytest.fixture
def visitor(served: Viewing) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.address) as client:
        yield client


def sign_in(visitor: httpx.Client, account: str) -> None:
    token = field(visitor.get("/sign-in"), "csrf")
    answer = visitor.post("/sign-in", data={"csrf": token, "account": account, "password": PASSWORD})
    assert answer.status_code == 303


@pytest.fixture
def radiologist(visitor: httpx.Client) -> httpx.Client:
    sign_in(visitor, "radiologist")
    return visitor


def test_a_file_comes_compressed_is_kept_and_need_not_come_again(radiologist: httpx.Client) -> None:
    with radiologist.stream("GET", ENTRY, headers={"accept-encoding": "br, gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert "Accept-Encoding" in answer.headers["vary"]
    for refusal in ("identity", "gzip;q=0"):
        plain = radiologist.get(ENTRY, headers={"accept-encoding": refusal})
        assert "content-encoding" not in plain.headers
        assert plain.content == gzip.decompress(raw)
        assert plain.headers["etag"] != answer.headers["etag"]
    again = {"accept-encoding": "gzip", "if-none-match": answer.headers["etag"]}
    assert radiologist.get(ENTRY, headers=again).status_code == 304


def test_every_file_is_served_by_its_exact_name_alone(radiologist: httpx.Client) -> None:
    for name, file in VIEWER.files.items():
        assert not name.endswith((".gz", ".map", ".html")), name
        assert file.path.is_file()
    wasm = next(name for name in VIEWER.files if name.endswith(".wasm"))
    assert radiologist.get(VIEWER.root + wasm).headers["content-type"] == "application/wasm"
    for other in ("", "LICENSE", f"{VIEWER.entry}.gz", f"{VIEWER.entry}/", "../files.py", "..%2Ffiles.py", "%2e%2e/"):
        assert radiologist.get(VIEWER.root + other).status_code in {400, 404}, other
    old = ENTRY.replace(VIEWER.name, "3.0.0-00000000")
    assert radiologist.get(old).status_code == 404


def test_nothing_in_the_files_asks_for_another_place(radiologist: httpx.Client) -> None:
    assert f'__webpack_require__.p = "{VIEWER.root}"' in radiologist.get(ENTRY).text
    styles = radiologist.get(f"{VIEWER.root}app.bundle.css").text
    assert "url(/" in styles
    assert "url(/" not in styles.replace(f"url({VIEWER.root}", "")


def test_who_is_not_signed_in_gets_no_file_and_no_picture(visitor: httpx.Client, served: Viewing) -> None:
    assert visitor.get(ENTRY).status_code == 401
    for page in (served.viewer(), f"/viewer/{served.person}/settings.js"):
        answer = visitor.get(page)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    for data in (f"/viewer/{served.person}/dicomweb/studies", f"/dicomweb/studies/{served.studies['ct']}/metadata"):
        assert visitor.get(data).status_code == 401, data


def test_who_may_not_read_reports_sees_no_images(visitor: httpx.Client, served: Viewing) -> None:
    sign_in(visitor, "auditor")
    for address in (
        served.viewer(),
        f"/viewer/{served.person}/dicomweb/studies",
        f"/dicomweb/studies/{served.studies['ct']}/metadata",
    ):
        assert visitor.get(address).status_code == 403, address


def test_after_a_session_has_ended_data_are_refused_and_signing_in_leads_back(
    radiologist: httpx.Client, served: Viewing
) -> None:
    data = f"/dicomweb/studies/{served.studies['ct']}/metadata"
    page = radiologist.get(served.viewer())
    assert page.status_code == radiologist.get(data).status_code == 200
    served.hub.verbs.access.sign_out(radiologist.cookies["dxhub_session"], "127.0.0.1")
    assert radiologist.get(data).status_code == 401
    # The viewer's script hears of that and asks for the sign-in with its own address.
    back = served.viewer().removeprefix(served.address)
    form = radiologist.get("/sign-in", params={"next": back})
    sent = {name: field(form, name) for name in ("csrf", "next")} | {"account": "radiologist", "password": PASSWORD}
    answer = radiologist.post("/sign-in", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, back)


def test_the_search_of_a_person_names_each_institution_and_leaves_the_description(
    radiologist: httpx.Client, served: Viewing
) -> None:
    found = radiologist.get(f"/viewer/{served.person}/dicomweb/studies").json()
    told = [[each[tag]["Value"][0] for tag in ("00080080", "00081030")] for each in found]
    assert told == [["机构CHC01", "胸部CT平扫"], ["机构CHC02", "胸部正位片"]]
    assert all(list(each) == sorted(each) for each in found)


def test_what_the_viewer_searches_and_fetches_is_in_the_audit_trail(radiologist: httpx.Client, served: Viewing) -> None:
    for address in (f"/viewer/{served.person}/dicomweb/studies", f"/dicomweb/studies/{served.studies['ct']}/metadata"):
        before = _audited(served)
        assert radiologist.get(address).status_code == 200
        assert _audited(served) > before, address


def _audited(served: Viewing) -> int:
    """How often the radiologist searched or read."""
    trail = served.hub.verbs.query.audit(disclosure_for(PEOPLE["auditor"]), account="radiologist", limit=1000)
    return sum(each.action in {Action.SEARCH, Action.READ} for each in trail.items)


def test_only_the_decoders_may_make_code_of_text(radiologist: httpx.Client, served: Viewing) -> None:
    assert "'unsafe-eval'" not in radiologist.get(served.viewer()).headers["content-security-policy"]
    assert "'unsafe-eval'" in radiologist.get(ENTRY).headers["content-security-policy"]
    styles = radiologist.get(f"{VIEWER.root}app.bundle.css")
    assert "'unsafe-eval'" not in styles.headers["content-security-policy"]


def test_a_study_of_somebody_else_does_not_open_as_this_persons(radiologist: httpx.Client, served: Viewing) -> None:
    for uids, statuses in ((served.studies["stranger"], {404}), ("", {400, 422}), ("1.2/../3", {400, 422})):
        answer = radiologist.get(f"/viewer/{served.person}/viewer", params={"StudyInstanceUIDs": uids})
        assert answer.status_code in statuses, uids


def test_a_build_leaves_one_release(tmp_path: Path) -> None:
    release = tmp_path / "1.0-abc"
    release.mkdir()
    (release / "app.bundle.0f.js.gz").write_bytes(gzip.compress(b"1"))
    found = files.viewer(tmp_path)
    assert (found.root, found.entry) == ("/viewer/files/1.0-abc/", "app.bundle.0f.js")
