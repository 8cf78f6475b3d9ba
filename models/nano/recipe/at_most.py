"""Ends a training stage after so many minutes, by the way that SIGTERM takes: saved, to be gone on with."""

import signal
import sys
from contextlib import contextmanager

AGAIN = 75
"""Exit status of a stage that was ended and is to be run again: EX_TEMPFAIL of sysexits.h."""
KINDS = signal.SIGTERM, signal.SIGINT, signal.SIGALRM


@contextmanager
def at_most(minutes: float | None):
    """
    What is inside ends after `minutes`; without a number, when it is done.

    A timer of the process and no thread: training forks, and children have no timer of their parent's. Signals are handled
    afterwards as they were before, since a stage that is over does not stop anything any more.
    @throws SystemExit with AGAIN if it was ended, whether training had begun or not
    """
    kept, over = {kind: signal.getsignal(kind) for kind in KINDS}, False

    def on_alarm(*_) -> None:
        nonlocal over
        over = True
        if signal.getsignal(signal.SIGTERM) is kept[signal.SIGTERM]:
            raise SystemExit("stopped before there was anything to save: run the stage again to go on")
        signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, (minutes or 0) * 60)
    try:
        yield
    except SystemExit as end:
        if not over:
            raise
        print(end, file=sys.stderr, flush=True)
        raise SystemExit(AGAIN) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, handler in kept.items():
            signal.signal(kind, handler)
