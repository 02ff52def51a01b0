"""A mapping holds as soon as it is committed, wherever it was made; nothing that was decided is ever lost."""

import datetime as dt

import pytest
from sqlalchemy import text

from schemas.codes import LOINC, UCUM, Coding
from schemas.faults import Fault
from schemas.mapping import MappingKind
from storage import mappings
from storage.database import Database
from tests.engines import Engines

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
OURS = Coding("1001", "白细胞", "urn:dxhub:codes:CHC01")
THEIRS = Coding("1001", "尿素", "urn:dxhub:codes:CHC02")
WBC = Coding("6690-2", "白细胞计数", LOINC)


def decide(store: Database, sent: Coding, concept: Coding | None, kind: MappingKind = MappingKind.CODE) -> None:
    with store.write() as tx:
        mappings.add(tx, kind, sent, concept, decided_by="lab", now=NOW)


def test_a_code_means_what_was_decided_last_and_only_where_it_was_decided(migrated_urls: Engines) -> None:
    store, elsewhere = Database(migrated_urls.database_url), Database(migrated_urls.database_url)

    def of(coding: Coding) -> list[Coding | None]:
        found = []
        for each in (store, elsewhere):
            with each.read() as tx:
                found.append(mappings.concepts(tx).of(coding))
        return found

    assert of(OURS) == [None, None]
    decide(store, OURS, WBC)
    assert of(OURS) == [WBC, WBC]
    assert of(THEIRS) == [None, None]
    assert of(WBC) == [WBC, WBC]
    decide(elsewhere, OURS, None)
    assert of(OURS) == [None, None]
    decide(elsewhere, OURS, WBC)
    with store.read() as tx:
        history = mappings.history(tx, MappingKind.CODE, OURS.system, OURS.code)
    assert [each.concept for each in history] == [WBC, None, WBC]
    assert {each.decided_by for each in history} == {"lab"}
    store.close()
    elsewhere.close()


def test_a_concept_is_found_under_every_code_that_stands_for_it(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    decide(store, OURS, WBC)
    decide(store, THEIRS, WBC)
    decide(store, Coding("B7", "", "urn:dxhub:codes:99MRC"), Coding("718-7", "血红蛋白", LOINC))
    with store.read() as tx:
        concepts = mappings.concepts(tx)
    expected = {(LOINC, "6690-2"), (OURS.system, "1001"), (THEIRS.system, "1001")}
    assert concepts.codes_of(WBC) == expected
    assert concepts.codes_of(Coding("6690-2")) == expected - {(LOINC, "6690-2")} | {("", "6690-2")}
    assert concepts.codes_of(OURS) == {(OURS.system, "1001")}
    store.close()


def test_a_unit_means_what_its_institution_means_by_it(migrated_urls: Engines) -> None:
    store = Database(migrated_urls.database_url)
    sent = Coding("G/L", "", "urn:dxhub:codes:CHC01")
    decide(store, sent, Coding("10*9/L", "", UCUM), MappingKind.UNIT)
    with store.read() as tx:
        concepts = mappings.concepts(tx)
    assert concepts.unit("CHC01", "G/L") == "10*9/L"
    assert concepts.unit("CHC02", "G/L") == ""
    assert concepts.of(sent) is None
    store.close()


@pytest.mark.parametrize("statement", ["UPDATE mapping SET concept_code = 'x'", "DELETE FROM mapping"])
def test_nobody_changes_what_was_decided(migrated_urls: Engines, statement: str) -> None:
    store = Database(migrated_urls.database_url)
    decide(store, OURS, WBC)
    with pytest.raises(Fault), store.write() as tx:
        tx.execute(text(statement))
    store.close()
