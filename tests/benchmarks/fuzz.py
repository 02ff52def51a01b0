"""Mutated messages through `dxhub check`: no crash, nothing over a second, and every accounting adds up.

    python -m tests.benchmarks.fuzz --count 100000 --samples $DXHUB_SAMPLES

Prints one JSON object. A message that breaks a promise is kept in the folder given by --keep.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from adapters.hl7v2.er7 import parse
from adapters.registry import EXAMINERS, READERS
from hub.check import check
from schemas.accounts import Examine
from schemas.delivery import Format
from schemas.faults import Fault
from tests.adapters.hl7v2.mutations import mutated, sound

LONGEST_S = 1.0
# The full account of fields reads a message some hundred times: every so many messages, so that a run ends.
_EXAMINED_EVERY = 20
_NONE: Mapping[Format, Examine] = MappingProxyType({})


@dataclass
class Outcome:
    """What a run found. `broken`: what was promised and not kept, with the seed that shows it."""

    messages: int = 0
    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    fields: int = 0
    slowest_s: float = 0.0
    broken: list[str] = field(default_factory=list)


def content_of(seed: str, samples: Path | None) -> bytes:
    """The message of a seed: the same one every time."""
    chance = random.Random(seed)
    return mutated(sound(samples, chance), chance)


def run(seeds: Iterator[str], samples: Path | None, *, examined_every: int = _EXAMINED_EVERY) -> Outcome:
    """Runs one message for each seed."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "message.hl7"
        for number, seed in enumerate(seeds):
            content = content_of(seed, samples)
            path.write_bytes(content)
            for wrong in _one(path, content, EXAMINERS if number % examined_every == 0 else _NONE, outcome):
                outcome.broken.append(f"{seed}: {wrong}")
    return outcome


def _one(path: Path, content: bytes, examiners: Mapping[Format, Examine], outcome: Outcome) -> Iterator[str]:
    outcome.messages += 1
    begun = time.process_time()  # of this process alone: a busy machine is no fault of a message
    try:
        # Whatever the content looks like, it is read as HL7 v2.
        answer = check(path, READERS, lambda _: Format.HL7V2, examiners)
        json.dumps(answer)
    except Exception as error:  # noqa: BLE001 - that there is none is what is tested
        yield f"{type(error).__name__}: {error}"
        return
    took = time.process_time() - begun
    outcome.slowest_s = max(outcome.slowest_s, took)
    if took > LONGEST_S:
        yield f"took {took:.2f} s"
    yield from _told(answer, outcome)
    yield from _written_back(content)


def _told(answer: dict[str, Any], outcome: Outcome) -> Iterator[str]:
    if not answer["ok"]:
        outcome.refused[answer["fault"]["category"]] += 1
        if not answer["fault"]["text"] or answer["fault"]["category"] == "internal":
            yield "refused without a reason"
        return
    outcome.read += 1
    accounting = answer["accounting"]
    outcome.segments += accounting["segments"]
    if accounting["mapped"] + accounting["kept"] + accounting["flagged"] != accounting["segments"]:
        yield "the accounting does not add up"
    for each in accounting.get("fields", ()):
        outcome.fields += 1
        if not (each.get("became") or each.get("reason")):
            yield f"{each['place']} says neither what it became nor why not"


def _written_back(content: bytes) -> Iterator[str]:
    try:
        same = parse(content).encode() == content
    except Fault:
        return
    if not same:
        yield "does not write back the same"


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--keep", type=Path, help="folder for messages that broke a promise")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    outcome = run((f"{arguments.seed}/{n}" for n in range(arguments.count)), arguments.samples)
    for line in outcome.broken if arguments.keep else ():
        seed = line.partition(": ")[0]
        (arguments.keep / f"{seed.replace('/', '-')}.hl7").write_bytes(content_of(seed, arguments.samples))
    figures = vars(outcome) | {"refused": dict(outcome.refused), "slowest_s": round(outcome.slowest_s, 3)}
    print(json.dumps(figures | {"took_s": round(time.perf_counter() - begun, 1)}))
    raise SystemExit(1 if outcome.broken else 0)


if __name__ == "__main__":
    main()
