"""Makes a hub the demo district's: institutions, senders, accounts, and two years of history."""

import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Event

from hub.app import Hub
from hub.ingest.senders import TAKES_STRANGERS
from schemas.delivery import Channel, Claim, Delivery, Origin, Receipt, State
from schemas.disclosure import Principal
from schemas.faults import Conflict
from storage import accounts, organizations, quality

from .district import Account, District
from .er7 import ZONE
from .history import Sent, history
from .narrator import Narrator
from .people import people
from .quality import quality_records

_LOOPBACK = "127.0.0.1"
_LANES = 4
# What the database remembers: up to which day the demo's history runs, and that it is complete.
_UNTIL = "demo-history-until"
_DONE = "demo-history-complete"


def seed(hub: Hub, district: District, narrator: Narrator) -> None:
    """Registers the district and delivers its history; what an earlier, even interrupted, run did is not done again.

    Raises Conflict for a hub that has institutions and is no demo's: invented patients do not belong there.
    """
    until = _register(hub, district)
    narrator.say(f"{len(district.organizations) - 1} 家机构 institutions · {len(district.accounts)} 个账户 accounts")
    with hub.stores.database.read() as tx:
        complete = organizations.setting(tx, _DONE) == "yes"
    if complete:
        narrator.say("历史数据已在库中 the history is already there")
        return
    _deliver_history(hub, until, narrator)
    with hub.stores.database.write() as tx:
        organizations.put_setting(tx, _DONE, "yes")


def _register(hub: Hub, district: District) -> dt.date:
    with hub.stores.database.write() as tx:
        until = organizations.setting(tx, _UNTIL)
        if not until and organizations.organizations(tx):
            raise Conflict("expected an empty folder or the demo's own; this hub belongs to somebody", where="--data")
        until = until or dt.datetime.now(ZONE).date().isoformat()
        for organization in district.organizations:
            organizations.put_organization(tx, organization)
        for source in district.sources:
            if organizations.source(tx, source.name):
                continue  # What somebody has learnt of a sender since stays known.
            organizations.put_source(tx, source.name, source.organization, source.authority, source.charset)
        if not quality.book(tx).about():
            records = quality_records(dt.date.fromisoformat(until))
            quality.put(
                tx, records, changed_by="", reason="年度室间质评 external assessment", now=dt.datetime.now(dt.UTC)
            )
        organizations.put_setting(tx, TAKES_STRANGERS, "yes")
        organizations.put_setting(tx, _UNTIL, until)
    for account in district.accounts:
        _put_account(hub, account)
    return dt.date.fromisoformat(until)


def _put_account(hub: Hub, account: Account) -> None:
    with hub.stores.database.read() as tx:
        if accounts.account(tx, account.account):
            return
    principal = Principal(account.account, account.name, account.role, account.organization)
    hub.stores.access.put_account(principal, account.password)


def _deliver_history(hub: Hub, until: dt.date, narrator: Narrator) -> None:
    planned = history(people(), until)
    refused: Counter[str] = Counter()
    for receipt in narrator.progress(_Receipts(hub, planned), "两年的报告 two years of reports"):
        if receipt.state is not State.INDEXED:
            refused[f"{receipt.state}: {receipt.category} {receipt.text} {receipt.where}"] += 1
    narrator.check(not refused, f"{len(planned)} 份送达 deliveries taken")
    for reason, times in refused.items():
        narrator.say(f"{times} × {reason}")


class _Receipts:
    """The receipts of all deliveries, as they come. Several lanes deliver at once and so share commits; a person's
    deliveries stay in one lane, hence in order."""

    def __init__(self, hub: Hub, planned: list[Sent]) -> None:
        self._hub = hub
        self._planned = planned
        self._stopped = Event()

    def __len__(self) -> int:
        return len(self._planned)

    def __iter__(self) -> Iterator[Receipt]:
        done: SimpleQueue[Receipt] = SimpleQueue()
        with ThreadPoolExecutor(_LANES, "seed") as pool:
            lanes = [pool.submit(self._run, lane, done) for lane in range(_LANES)]
            try:
                for _ in self._planned:
                    yield self._next(done, lanes)
            finally:
                # Whoever breaks off waits for the deliveries under way, not for two years of them.
                self._stopped.set()

    @staticmethod
    def _next(done: "SimpleQueue[Receipt]", lanes: "list[Future[None]]") -> Receipt:
        while True:
            try:
                return done.get(timeout=0.5)
            except Empty:
                for lane in lanes:
                    if lane.done():
                        lane.result()  # raises what stopped the lane

    def _run(self, lane: int, done: "SimpleQueue[Receipt]") -> None:
        for sent in self._planned:
            if self._stopped.is_set():
                return
            if sent.patient % _LANES == lane:
                done.put(self._hub.verbs.ingest.deliver(_delivery(self._hub, sent)))


def _delivery(hub: Hub, sent: Sent) -> Delivery:
    # A cart's upload comes in the name of its institution; here nobody is signed in yet.
    channel = Channel.C_STORE if sent.channel is Channel.UPLOAD else sent.channel
    origin: Origin = hub.verbs.ingest.identify(Claim(channel, sent.sender, _LOOPBACK))
    return Delivery(replace(origin, channel=sent.channel, hint=sent.hint), sent.format, io.BytesIO(sent.make()))
