"""Verdicts for an order in an index of millions of reports, against the bare SQL that finds the same rows.

    python -m tests.benchmarks.recognition [--reports 200000 2000000] [--engine sqlite postgresql] [--prefix nice]

A patient with 500 reports is asked about. p50 and p99 of: the bare indexed look-up of the rows that the verdict looks
at (the driver, no hub), which writes nothing; the same with one row written and made durable, for nobody may be shown
a result of which no record is kept; verdicts for an order as the verb gives them, with the audit record and what was
shown made durable; a call of CDS Hooks by HTTP at a steady rate. --prefix: a command under which the measuring runs,
where the machine is shared.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import Connection, text

from hub.access import Access, disclosure_for
from hub.advising import Advising
from schemas.catalogue import Setting
from schemas.codes import CATALOGUE, Coding
from schemas.disclosure import Principal, Role
from schemas.ordering import PlannedOrder
from storage import accounts
from storage.database import Database
from storage.migrate import migrate
from tests import engines
from tests.advising.hooks_client import PATIENT, draft
from tests.benchmarks import recognition_index
from tests.benchmarks.recognition_index import HEAVY, resident
from tests.engines import Engines
from tests.journeys.process import serving

DOCTOR = Principal("clinician", "林医生", Role.CLINICIAN, "DH02")
ORDERS = ("L-718-7", "P-CBC", "L-2951-2", "R-CT-CHEST", "P-ELEC")
CALLS = 400
RATE, SECONDS = 50, 20
# What finds the prior results of one item of one patient, and their reports, whoever runs it.
BARE = (
    "SELECT v.document FROM (SELECT o.report_id FROM observation o JOIN report r ON r.id = o.report_id"
    " AND r.version = o.version WHERE o.patient_id = {0} AND o.code = {0} ORDER BY o.observed_at DESC, o.id DESC"
    " LIMIT 4) x JOIN report_version v ON v.report_id = x.report_id AND v.version = 1"
)


def main(argv: Sequence[str] | None = None) -> None:
    """Builds each index, then measures it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument("--engine", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--prefix", default="")
    parser.add_argument("--measure", help="an index that was built before; its folder and address", nargs=2)
    arguments = parser.parse_args(argv)
    if arguments.measure:
        print(json.dumps(measure(*arguments.measure)))
        return
    for engine in arguments.engine:
        found = [_run(engine, count, shlex.split(arguments.prefix)) for count in arguments.reports]
        for name in ("verdicts_p50", "verdicts_p99", "hooks_p99"):
            if len(found) > 1:
                print(f"{engine}: {name} grew {found[-1][name] / found[0][name]:.2f} x", flush=True)


def _run(engine: str, count: int, prefix: list[str]) -> dict[str, float]:
    with _stores(engine) as (folder, urls):
        started = time.monotonic()
        database = Database(urls.database_url)
        migrate(database)
        recognition_index.build(database, count)
        with database.write() as tx:
            accounts.put_account(tx, DOCTOR, "nobody signs in")
        database.close()
        built = time.monotonic() - started
        command = [
            *prefix,
            sys.executable,
            "-m",
            "tests.benchmarks.recognition",
            "--measure",
            str(folder),
            urls.database_url,
        ]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    told = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
    print(f"{engine} {count:9,} reports, built in {built:.0f} s: {told}", flush=True)
    return found


@contextmanager
def _stores(engine: str) -> Iterator[tuple[Path, Engines]]:
    with tempfile.TemporaryDirectory(prefix="recognition-bench-") as name:
        folder = Path(name)
        objects = f"file://{folder}/objects"
        if engine == "sqlite":
            yield folder, Engines("embedded", f"sqlite:///{folder}/hub.db", objects)
            return
        with engines.postgres() as server:
            yield folder, Engines("servers", server.url(server.create()), objects)


def measure(folder: str, address: str) -> dict[str, float]:
    """Milliseconds of each, the bare look-ups first; ratios: of the verb's median for one item to theirs."""
    urls = Engines("measured", address, f"file://{folder}/objects")
    database = Database(address)
    try:
        bare = _timed(_bare(database))
        kept = _timed(_bare_and_kept(database))
        single = _timed(_verb(database, ("L-718-7",)))
        mixed = _timed(_verb(database, ORDERS))
        token = Access(database).issue_token(DOCTOR.account)
    finally:
        database.close()
    with serving(urls, Path(folder), {}, DXHUB_LOG_LEVEL="error") as running:
        hooks = _hooks(running.ports["web"], token)
    return {
        "bare_p50": _at(bare, 50),
        "bare_p99": _at(bare, 99),
        "bare_kept_p50": _at(kept, 50),
        "bare_kept_p99": _at(kept, 99),
        "one_item_p50": _at(single, 50),
        "one_item_p99": _at(single, 99),
        "verdicts_p50": _at(mixed, 50),
        "verdicts_p99": _at(mixed, 99),
        "ratio_bare": _at(single, 50) / _at(bare, 50),
        "ratio_bare_kept": _at(single, 50) / _at(kept, 50),
        "hooks_p50": _at(hooks, 50),
        "hooks_p99": _at(hooks, 99),
        "hooks_rate": RATE,
    }


def _at(times: Sequence[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1] * 1000


def _timed(ask: Callable[[int], object]) -> list[float]:
    for number in range(20):
        ask(number)
    times = []
    for number in range(CALLS):
        before = time.perf_counter()
        ask(number)
        times.append(time.perf_counter() - before)
    return times


def _bare(database: Database) -> Callable[[int], object]:
    look_up = _look_up(database)

    def ask(number: int) -> object:
        with database.read() as tx:
            return look_up(tx, number)

    return ask


def _bare_and_kept(database: Database) -> Callable[[int], object]:
    look_up = _look_up(database)
    with database.write() as tx:
        tx.execute(text("CREATE TABLE IF NOT EXISTS peer (account VARCHAR(64), patient_id INTEGER)"))

    def ask(number: int) -> object:
        with database.write() as tx:
            found = look_up(tx, number)
            tx.execute(text("INSERT INTO peer VALUES (:account, :patient)"), {"account": "x", "patient": number})
            return found

    return ask


def _look_up(database: Database) -> Callable[[Connection, int], object]:
    statement = BARE.format("?" if database.engine.dialect.name == "sqlite" else "%s")

    def look_up(tx: Connection, number: int) -> object:
        connection = tx.connection.driver_connection
        assert connection is not None
        found = connection.cursor().execute(statement, (1 + number % HEAVY, "718-7")).fetchall()
        assert found
        return found

    return look_up


def _verb(database: Database, items: Sequence[str]) -> Callable[[int], object]:
    advising, doctor = Advising(database), disclosure_for(DOCTOR, "127.0.0.1")

    def ask(number: int) -> object:
        code = items[number % len(items)]
        order = PlannedOrder((Coding(code, "", CATALOGUE),), Setting.OUTPATIENT, number=f"O{number}")
        (answer,) = advising.verdicts(doctor, [order], patient_id=1 + number % HEAVY)
        assert answer.shown, code
        return answer

    return ask


def _hooks(port: int, token: str) -> list[float]:
    """Calls at a steady rate, whether or not the ones before have been answered; from the moment each was due."""
    times: list[float] = []
    lock = threading.Lock()
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {token}"},
        limits=httpx.Limits(max_connections=40, max_keepalive_connections=40),
        timeout=30,
        trust_env=False,
    )
    for number in range(20):
        client.post("/cds-services/prior-results", json=_call(number)).raise_for_status()

    def call(number: int, due: float) -> None:
        answer = client.post("/cds-services/prior-results", json=_call(number))
        took = time.perf_counter() - due
        assert answer.status_code == 200, answer.text
        assert answer.json()["cards"]
        with lock:
            times.append(took)

    start = time.perf_counter()
    threads = []
    for number in range(RATE * SECONDS):
        due = start + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        thread = threading.Thread(target=call, args=(number, due))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    client.close()
    assert len(times) == RATE * SECONDS
    return times


def _call(number: int) -> dict[str, object]:
    who = number % HEAVY
    male = int(resident(who)[16]) % 2 == 1
    described = {"birthDate": "1970-01-01", "gender": "male" if male else "female"}
    numbers = [{"system": "urn:oid:2.16.156.10011.1.3", "value": resident(who)}]
    return {
        "hook": "order-sign",
        "hookInstance": str(uuid.uuid4()),
        "context": {
            "userId": "Practitioner/lin",
            "patientId": "his-7",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft("718-7", str(number))}]},
        },
        "prefetch": {
            "patient": PATIENT | described | {"identifier": numbers},
            "encounter": {"resourceType": "Encounter", "class": {"code": "AMB"}},
        },
    }


if __name__ == "__main__":
    os.environ.setdefault("DXHUB_LOG_LEVEL", "error")
    main()
