"""The catalogue over HTTP, as an ordering system reads it."""

from tests.api.served import Served


def test_the_catalogue_is_listed_page_by_page(hub: Served) -> None:
    first = hub.request("GET", "/recognition/items?_count=100").json()
    assert first["total"] >= 300
    codes = [each["code"] for each in first["items"]]
    following = first["next"]
    while following:
        page = hub.request("GET", following).json()
        codes += [each["code"] for each in page["items"]]
        following = page["next"]
    assert len(codes) == len(set(codes)) == first["total"]
    everything = hub.request("GET", "/recognition/items?_count=1000").json()
    assert [each["code"] for each in everything["items"]] == codes
    assert everything["next"] is None


def test_an_item_tells_its_codes_its_clocks_and_who_published_them(hub: Served) -> None:
    (potassium,) = hub.request("GET", "/recognition/items?text=2823-3").json()["items"]
    assert potassium["codes"] == [{"system": "http://loinc.org", "code": "2823-3"}]
    assert (potassium["zh"], potassium["unit"], potassium["specimen"]) == ("钾", "mmol/L", "serum")
    outpatient, acute = potassium["clocks"]["outpatient"], potassium["clocks"]["acute"]
    assert (outpatient["too_early_hours"], outpatient["valid_hours"], outpatient["never"]) == (12, 168, False)
    assert outpatient["valid_source"]
    assert acute["never"]
    assert hub.request("GET", "/recognition/items/L-2823-3").json() == potassium


def test_the_catalogue_is_filtered_by_category_and_by_what_people_type(hub: Served) -> None:
    ecg = hub.request("GET", "/recognition/items?category=ecg&_count=2").json()
    assert {each["category"] for each in ecg["items"]} == {"ecg"}
    assert "category=ecg" in ecg["next"]
    found = hub.request("GET", "/recognition/items?text=xbct&category=imaging").json()["items"]
    assert [each["code"] for each in found[:1]] == ["R-CT-CHEST"]


def test_what_the_catalogue_does_not_understand_is_refused(hub: Served) -> None:
    for path in ("items?_count=0", "items?_count=1001", "items?_offset=-1", "items?category=x", "items?count=5"):
        assert hub.request("GET", f"/recognition/{path}").status_code == 400, path
    assert hub.request("GET", "/recognition/items/L-NONE").status_code == 404
    assert hub.request("GET", "/recognition/items", "").status_code == 401
