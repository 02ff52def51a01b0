"""A sender is registered and known better over time; what waited is read as it is known now."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from hub.access import disclosure_for
from hub.profiles.replayed import replay_some
from schemas.delivery import Receipt, State
from schemas.disclosure import Disclosure, Principal
from schemas.faults import Busy, Conflict, Forbidden, InvalidPayload, NotFound
from schemas.identifiers import RESIDENT_ID
from schemas.organization import Organization, Profile
from storage import audit, organizations
from tests.engines import Engines

from .kernel import ADMIN, AUDITOR, CLINICIAN
from .laboratory import LAB, Laboratory, message

ASK = disclosure_for(ADMIN)
BROKEN = {"characters": ""}  # MSH-2 is empty
REPAIRED = Profile("CHC01", repairs=("standard-encoding-characters",))


@pytest.fixture
def laboratory(migrated_urls: Engines) -> Iterator[Laboratory]:
    made = Laboratory(migrated_urls)
    yield made
    made.close()


def trail(laboratory: Laboratory) -> list[str]:
    with laboratory.kernel.database.read() as tx:
        found = audit.records(tx, disclosure_for(AUDITOR), action="administer").items
    return [f"{each.account} {each.entity} {each.detail}" for each in found]


def test_a_new_institution_and_its_sender_may_send_at_once(laboratory: Laboratory) -> None:
    profiles = laboratory.profiles
    profiles.register_organization(ASK, Organization("CHC09", "晨汐社区卫生服务中心"))
    profiles.register(ASK, "LIS-09", "CHC09", Profile("CHC09"))
    assert laboratory.send(message(1, sender="CHC09"), "LIS-09").state is State.INDEXED
    with pytest.raises(Conflict):
        profiles.register(ASK, "LIS-09", "CHC09", Profile("CHC09"))
    with pytest.raises(NotFound):
        profiles.register(ASK, "LIS-10", "CHC10", Profile("CHC10"))
    assert trail(laboratory) == [
        "admin Source/LIS-09 registered for CHC09",
        "admin Organization/CHC09 institution registered",
    ]


def test_what_waits_is_read_as_the_sender_is_known_now(laboratory: Laboratory) -> None:
    waiting = [laboratory.send(message(n, characters="")) for n in range(1, 4)]
    assert {each.state for each in waiting} == {State.QUARANTINED}
    profiles = laboratory.profiles
    assert profiles.sender(ASK, "CHC01").waiting == 3
    assert [each.id for each in profiles.waiting(ASK, "CHC01")] == [each.delivery_id for each in waiting]

    before = profiles.preview(ASK, "CHC01", Profile("CHC01"), waiting[0].delivery_id)
    assert before.fault is not None
    assert before.fault.where == "MSH-2"
    tried = profiles.preview(ASK, "CHC01", REPAIRED, waiting[0].delivery_id)
    assert tried.reading is not None
    assert tried.reading.reports[0].patient.name.text == "王芳"
    assert profiles.sender(ASK, "CHC01").waiting == 3
    assert profiles.versions(ASK, "CHC01") == ()

    assert profiles.save(ASK, "CHC01", REPAIRED)
    done = profiles.replay(ASK, "CHC01")
    assert (done.indexed, done.held, done.quarantined, done.more) == (3, 0, 0, False)
    assert profiles.sender(ASK, "CHC01").waiting == 0
    assert laboratory.send(message(7, characters="")).state is State.INDEXED


def test_every_profile_stays_as_history_and_in_the_trail(laboratory: Laboratory) -> None:
    profiles = laboratory.profiles
    assert profiles.save(ASK, "CHC01", REPAIRED)
    assert not profiles.save(ASK, "CHC01", REPAIRED)
    known = replace(
        REPAIRED, charset="gb18030", authorities=(("东院", "CHC02"), ("公安", RESIDENT_ID)), identity_field="ZPI-3"
    )
    assert profiles.save(ASK, "CHC01", known)
    assert [each.profile for each in profiles.versions(ASK, "CHC01")] == [known, REPAIRED]
    assert profiles.sender(ASK, "CHC01").source.profile == known
    assert profiles.sender(ASK, "CHC02").source.profile == Profile("CHC02")
    assert trail(laboratory) == [
        "admin Source/CHC01 profile: charset, authorities, identity_field",
        "admin Source/CHC01 profile: repairs",
    ]


def test_a_profile_that_cannot_be_is_refused_at_its_field(laboratory: Laboratory) -> None:
    good = Profile("CHC01")
    for field, value in (
        ("authority", ""),
        ("authority", "东 院"),
        ("charset", "unicode_escape"),
        ("time_zone", "Asia/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("identity_field", "NK1-12"),
        ("identity_field", "PID-0"),
        ("repairs", ("make-it-good",)),
        ("repairs", ("sex-0-male-1-female", "sex-0-female-1-male")),
        ("authorities", (("东院", "NOBODY"),)),
        ("authorities", (("东院", "CHC01"), ("东院", "CHC02"))),
    ):
        with pytest.raises(InvalidPayload) as caught:
            laboratory.profiles.save(ASK, "CHC01", replace(good, **{field: value}))  # type: ignore[arg-type]
        assert caught.value.where == field
    assert laboratory.profiles.versions(ASK, "CHC01") == ()
    with pytest.raises(NotFound):
        laboratory.profiles.save(ASK, "CHC99", good)


def test_nobody_previews_another_sender_s_message_under_this_one_s_name(laboratory: Laboratory) -> None:
    theirs = laboratory.send(message(1, sender="CHC02", characters=""), "CHC02")
    with pytest.raises(NotFound):
        laboratory.profiles.preview(ASK, "CHC01", REPAIRED, theirs.delivery_id)


@pytest.mark.parametrize("who", [CLINICIAN, LAB, AUDITOR])
def test_only_an_administrator_looks_after_senders(laboratory: Laboratory, who: Principal) -> None:
    asked, profiles = disclosure_for(who), laboratory.profiles
    for forbidden in (
        lambda: profiles.senders(asked),
        lambda: profiles.save(asked, "CHC01", REPAIRED),
        lambda: profiles.register(asked, "X", "CHC01", REPAIRED),
        lambda: profiles.register_organization(asked, Organization("X", "某院")),
        lambda: profiles.preview(asked, "CHC01", REPAIRED, 1),
        lambda: profiles.waiting(asked, "CHC01"),
        lambda: profiles.replay(asked, "CHC01"),
        lambda: profiles.examine(asked, b"MSH"),
    ):
        with pytest.raises(Forbidden):
            forbidden()


def test_a_vendor_s_message_leaves_nothing_behind(laboratory: Laboratory) -> None:
    tried = laboratory.profiles.examine(ASK, message(1, value="见报告", unit="万个"), "CHC01")
    assert tried.reading is not None
    assert tried.conformance is not None
    assert [each.where for each in tried.conformance.findings] == ["OBX[1]-5"]
    assert [each.code for each in tried.unmapped] == ["1001"]
    assert tried.examined is not None
    assert list(laboratory.kernel.objects.digests()) == []
    assert laboratory.kernel.query.deliveries(ASK).total == 0
    laboratory.send(message(2))
    laboratory.terminology.map(disclosure_for(LAB), 1, "6690-2")
    assert laboratory.profiles.examine(ASK, message(3), "CHC01").unmapped == ()
    assert laboratory.profiles.examine(ASK, b"hello").fault is not None


def test_replaying_stops_in_time_and_goes_on_where_it_stopped(laboratory: Laboratory) -> None:
    waiting = [laboratory.send(message(n, characters="")).delivery_id for n in range(1, 5)]
    with laboratory.kernel.database.read() as tx:
        source = organizations.source(tx, "CHC01")
    assert source is not None
    read: list[int] = []

    def busy_at(number: int) -> Callable[[Disclosure, int], Receipt]:
        def replay(_: Disclosure, delivery_id: int) -> Receipt:
            if delivery_id == number:
                raise Busy("not now")
            if delivery_id == waiting[1]:
                raise Conflict("somebody else has dealt with it")
            read.append(delivery_id)
            return Receipt(delivery_id, "", State.QUARANTINED, laboratory.profiles.waiting(ASK, "CHC01")[0].received_at)

        return replay

    database = laboratory.kernel.database
    with pytest.raises(Busy):
        replay_some(database, busy_at(waiting[2]), ASK, source, 0)
    done = replay_some(database, busy_at(0), ASK, source, waiting[1])
    assert (done.quarantined, done.last, done.more) == (2, waiting[3], False)
    assert read == [waiting[0], waiting[2], waiting[3]]
