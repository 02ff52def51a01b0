"""The ECG centre at its busiest: uploads a minute with people at the portal, and how soon a tracing is drawn.

    python -m tests.benchmarks.ecg [--uploads 200] [--seconds 60] [--opened 12]

Uploads come evenly spread, DICOM, aECG and SCP-ECG in turn, over HTTP; meanwhile two readers go from page to page.
Then Chromium opens reports it has not seen. Prints JSON: milliseconds, and bytes on the wire.
"""

import argparse
import contextlib
import datetime as dt
import itertools
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

from hub.demo import ecg_files
from tests.adapters.ecg.examples import OBSERVED_AT, examination
from tests.engines import Engines
from tests.journeys.process import PASSWORD, Hub, seed, serving

_FORMS: tuple[tuple[str, Callable[[ecg_files.Examination], bytes]], ...] = (
    ("ecg.dcm", ecg_files.part10),
    ("ecg.xml", ecg_files.xml),
    ("ecg.scp", ecg_files.record),
)
_PATIENTS = 40
_LISTS = ("/ecg", "/ecg/unidentified", "/patients?q=wt")
# When the first picture is put on the page, and when the screen shows it; since the navigation began.
_WATCH = """(() => {
  const made = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    if (!window.begun && this.canvas.isConnected) {
      window.begun = performance.now();
      requestAnimationFrame(() => requestAnimationFrame(() => { window.shown = performance.now(); }));
    }
    return made.apply(this, given);
  };
})()"""
_FIGURES = """() => {
  const data = performance.getEntriesByType('resource').find(each => each.name.includes('/ecg/data'));
  return { there: data.responseEnd, bytes: data.encodedBodySize, shown: window.shown };
}"""


@contextlib.contextmanager
def hub() -> Iterator[Hub]:
    """`dxhub serve` on an empty folder."""
    with tempfile.TemporaryDirectory(prefix="dxhub-bench-") as folder:
        urls = Engines("embedded", f"sqlite:///{folder}/hub.db", f"file://{folder}/objects")
        with serving(urls, Path(folder), seed(urls), DXHUB_LOG_LEVEL="error") as running:
            yield running


def contents(number: int) -> tuple[str, bytes]:
    """The file of one upload; no two are the same recording."""
    name, write = _FORMS[number % len(_FORMS)]
    at = OBSERVED_AT + dt.timedelta(minutes=number)
    person = number % _PATIENTS
    return name, write(replace(examination("", f"{person:06d}", f"王弢{person}"), observed_at=at))


def upload(client: httpx.Client, number: int) -> float:
    """Milliseconds from the request to the receipt. Raises RuntimeError where it was refused."""
    name, content = contents(number)
    begun = time.perf_counter()
    answer = client.post("/deliveries", files={"file": (name, content)})
    took = (time.perf_counter() - begun) * 1000
    if answer.status_code != 200 or any(each["category"] for each in answer.json()["receipts"]):
        raise RuntimeError(f"{name}: {answer.status_code} {answer.text[:300]}")
    return took


@contextlib.contextmanager
def person(running: Hub, role: str) -> Iterator[httpx.Client]:
    """Somebody who is signed in."""
    with httpx.Client(base_url=f"http://127.0.0.1:{running.ports['web']}", timeout=30) as client:
        csrf = client.get("/sign-in").text.split('name="csrf" value="')[1].split('"')[0]
        client.post("/sign-in", data={"csrf": csrf, "account": role, "password": PASSWORD})
        yield client


def reading(running: Hub, done: threading.Event, took: dict[str, list[float]]) -> None:
    """Goes from list to report and back until it is over."""
    with person(running, "ecg-reader") as client:
        for number in itertools.count(1):
            for path in (*_LISTS, f"/reports/{number % 30 + 1}"):
                if done.wait(0.1):
                    return
                begun = time.perf_counter()
                answer = client.get(path)
                if answer.status_code == 200:
                    name = path.split("?")[0] if path in _LISTS else "/reports"
                    took[name].append((time.perf_counter() - begun) * 1000)


def busy(running: Hub, uploads: int, seconds: float) -> dict[str, Any]:
    """So many uploads in so many seconds, with two readers at the portal."""
    took: dict[str, list[float]] = defaultdict(list)
    done = threading.Event()
    readers = [threading.Thread(target=reading, args=(running, done, took)) for _ in range(2)]
    with running.http("technician") as client, ThreadPoolExecutor(8) as pool:
        for reader in readers:
            reader.start()
        begun = time.perf_counter()
        sent = []
        for number in range(uploads):
            time.sleep(max(0.0, begun + number * seconds / uploads - time.perf_counter()))
            sent.append(pool.submit(upload, client, number))
        answered = [each.result() for each in sent]
        lasted = time.perf_counter() - begun
    done.set()
    for reader in readers:
        reader.join()
    return {
        "uploads_a_minute": round(uploads / lasted * 60),
        "upload": figures(answered),
        **{name: figures(times) for name, times in sorted(took.items())},
    }


def figures(times: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(times)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {"number": len(ordered), "p50": round(statistics.median(ordered), 1), "p99": round(last, 1)}


def drawn(running: Hub, opened: int) -> dict[str, Any]:
    """How soon tracings are on the screen, in a browser that has the scripts, and in one that has nothing."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("chromium is missing")
    found: dict[str, list[dict[str, float]]] = {"first": [], "later": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(3):
            context = browser.new_context(base_url=f"http://127.0.0.1:{running.ports['web']}", locale="zh-CN")
            page = context.new_page()
            page.add_init_script(_WATCH)
            page.goto("/sign-in")
            page.fill("input[name=account]", "ecg-reader")
            page.fill("input[name=password]", PASSWORD)
            page.press("input[name=password]", "Enter")
            page.wait_for_url("**/ecg")
            found["first"].append(_opened(page, 1))
            found["later"] += [_opened(page, number) for number in range(2, opened + 2)]
            context.close()
        browser.close()
    return {
        name: {
            "page_to_picture_ms": figures([each["shown"] for each in each_kind]),
            "bytes_to_picture_ms": figures([each["shown"] - each["there"] for each in each_kind]),
            "bytes_on_the_wire": max(each["bytes"] for each in each_kind),
        }
        for name, each_kind in found.items()
    }


def _opened(page: Page, report: int) -> dict[str, float]:
    page.goto(f"/reports/{report}")
    while not page.evaluate("() => window.shown || 0"):
        page.wait_for_timeout(20)
    told: dict[str, float] = page.evaluate(_FIGURES)
    return told


def main(argv: Sequence[str] | None = None) -> None:
    """Uploads first; then the browser, alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--opened", type=int, default=12)
    arguments = parser.parse_args(argv)
    with hub() as running:
        told = busy(running, arguments.uploads, arguments.seconds)
        time.sleep(3)
        told["drawn"] = drawn(running, arguments.opened)
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
