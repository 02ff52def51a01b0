"""`dxhub demo`: a fictional district on one machine, seeded, then at work over real sockets."""

import argparse
import datetime as dt
import json
import signal
import threading
import unicodedata

import structlog

from hub import app
from hub.doors import require_doors
from hub.settings import Settings

from . import clinic, figures
from .district import District, district
from .live import Live
from .narrator import Narrator
from .people import people
from .seeding import seed
from .today import Today
from .workstation import Workstation, workstation

_INTERRUPTED = 130
_PARTS = {"web", "dicom", "mllp", "worker"}


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Brings the district up and sends. Returns 0 where every step held; without `--once` serves until stopped."""
    if settings.log_level == "info":
        # A line for each of a thousand deliveries would bury the story; `DXHUB_LOG_LEVEL` brings them back.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    # Until everything is up, stopping means breaking off; what was acknowledged is kept, and the next run goes on.
    narrator = Narrator()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, narrator.break_off)
    try:
        return _run(settings, narrator, once=arguments.once)
    except KeyboardInterrupt:
        print("\n已中断，再次运行将继续 interrupted; the next run goes on from here", flush=True)
        return _INTERRUPTED


def _run(settings: Settings, narrator: Narrator, *, once: bool) -> int:
    require_doors(settings, _PARTS)
    invented = district()
    narrator.step(f"建立虚构的听澜区：{settings.data}", "a fictional district is set up, with two years of history")
    with app.running(settings, set()) as hub:
        seed(hub, invented, narrator)
    with app.running(settings, _PARTS) as hub, workstation(hub, invented) as station:
        _send(hub, invented, narrator, station)
        counted = figures.count(hub, invented)
        _check_figures(counted, narrator)
        _show_accounts(hub, invented)
        if not once:
            _serve_until_stopped()
    if once:
        print(json.dumps(counted), flush=True)
    return 1 if narrator.failures else 0


def _serve_until_stopped() -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    print("\nCtrl-C 停止 stops the hub", flush=True)
    stopped.wait()


def _send(hub: app.Hub, invented: District, narrator: Narrator, station: Workstation) -> None:
    narrator.step("枢纽开门", "the hub opens its doors")
    for line in hub.greeting().splitlines()[1:]:
        narrator.say(line.strip())
    today = Today(people(), dt.datetime.now(dt.UTC))
    live = Live(hub, invented, today, narrator, station)
    live.run()
    clinician = next(account for account in invented.accounts if account.account == "clinician")
    clinic.visit(live.http(clinician.account), clinician, today.patient, narrator)


def _check_figures(counted: dict[str, object], narrator: Narrator) -> None:
    narrator.step("枢纽里现在有", "what the hub holds now")
    deliveries = counted["deliveries"]
    assert isinstance(deliveries, dict)
    for kind, least in figures.LEAST.items():
        narrator.check(deliveries[kind] >= least, f"{kind}: {deliveries[kind]} 份送达 deliveries")
    narrator.say(f"{counted['reports']} 份报告 reports")
    narrator.say(f"互认 recognised {counted['recognised']} · 不互认 not recognised {counted['not_recognised']}")


def _show_accounts(hub: app.Hub, invented: District) -> None:
    """Where to go, as whom, and what to look at."""
    print(f"\n打开 open  http://{hub.settings.host}:{hub.port('web')}/\n")
    for account in invented.accounts:
        zh, en = account.look_at
        name = account.name + " " * (8 - _width(account.name))
        print(f"    {account.account:<13}{account.password:<21}{name}{zh}\n{'':48}{en}")
    print(flush=True)


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
