"""Tells a person at a terminal what happens, in Chinese and English; counts what did not hold."""

import io
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")
_EVERY_S = 0.2


class Narrator:
    """Prints to stdout. failures: what did not hold, in the order in which it was found."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._step = 0
        self._broken_off = False
        self._live = sys.stdout.isatty()
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal that knows no Chinese shows the English half, and question marks; it does not end the demo.
            sys.stdout.reconfigure(errors="replace")

    def break_off(self, *_signal: object) -> None:
        """A signal's handler: interrupts, and again at the next line where the first was raised in vain.

        Python drops an exception that a signal raises within a finalizer, such as a generator's or a weak reference's.
        """
        self._broken_off = True
        raise KeyboardInterrupt

    def step(self, zh: str, en: str) -> None:
        """Opens a step of the story."""
        self._go_on()
        self._step += 1
        print(f"\n[{self._step}] {zh}\n    {en}", flush=True)

    def say(self, line: str) -> None:
        """One line within a step."""
        self._go_on()
        print(f"    {line}", flush=True)

    def check(self, holds: bool, line: str) -> None:
        """One line which says that something held, or that it did not."""
        self._go_on()
        print(f"    {'✓' if holds else '✗'} {line}", flush=True)
        if not holds:
            self.failures.append(line)

    def progress(self, work: Iterable[T], what: str) -> Iterator[T]:
        """Shows how far long work has come: in place on a terminal, else a line for each quarter."""
        total = len(work) if isinstance(work, Sized) else 0
        shown, quarter = 0.0, 0
        for done, item in enumerate(work, start=1):
            yield item
            self._go_on()
            if self._live and (done == total or time.monotonic() - shown > _EVERY_S):
                shown = time.monotonic()
                print(f"\r    {what} {done}/{total}", end="\n" if done == total else "", flush=True)
            elif not self._live and total and done * 4 // total > quarter:
                quarter = done * 4 // total
                print(f"    {what} {done}/{total}", flush=True)

    def _go_on(self) -> None:
        if self._broken_off:
            raise KeyboardInterrupt
