import io
import signal
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import torch

import run
from at_most import AGAIN, KINDS, at_most
from training import Plan, train

SOON = 0.3 / 60
LONG = 60.0
"""Minutes: less than a second, and more than a test lasts."""


class AtMost(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.checkpoint = Path(folder.name) / "trunk.pt"
        self.module = torch.nn.Linear(2, 1)
        self.handlers = [signal.getsignal(kind) for kind in KINDS]

    def train(self, *_):
        loss = lambda: {"words": self.module(torch.ones(1, 2)).square().mean()}
        with redirect_stdout(io.StringIO()):
            train(self.module, loss, Plan(LONG, 1e-3, workers=1), self.checkpoint)

    def ended(self, minutes, work):
        """What it says."""
        with redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as end, at_most(minutes):
            work()
        self.assertEqual(end.exception.code, AGAIN)
        self.assertEqual([signal.getsignal(kind) for kind in KINDS], self.handlers)
        self.assertEqual(signal.getitimer(signal.ITIMER_REAL), (0.0, 0.0))
        return said.getvalue()

    def test_training_is_saved_and_the_same_again_goes_on(self):
        steps = []
        for _ in range(2):
            self.assertIn("run the stage again to go on", self.ended(SOON, self.train))
            steps.append(torch.load(self.checkpoint)["step"])
        self.assertGreater(steps[0], 0)
        self.assertGreater(steps[1], steps[0])

    def test_what_has_nothing_to_save_yet_ends_too(self):
        self.assertIn("again", self.ended(SOON, lambda: signal.sigtimedwait([], 20)))

    def test_what_is_done_in_time_is_not_ended(self):
        for minutes in (None, LONG):
            with at_most(minutes):
                pass
            self.assertEqual([signal.getsignal(kind) for kind in KINDS], self.handlers)
            self.assertEqual(signal.getitimer(signal.ITIMER_REAL), (0.0, 0.0))

    def test_who_ends_it_otherwise_is_told_what_training_says(self):
        with self.assertRaisesRegex(SystemExit, "stopped after"), at_most(None):
            signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGTERM))
            signal.setitimer(signal.ITIMER_REAL, SOON * 60)
            self.train()

    def test_a_command_ends_with_the_status_and_leaves_a_finished_trunk_as_it_is(self):
        command = patch.object(sys, "argv", ["run.py", "trunk", "--at-most", str(SOON), "--workers", "1"])
        files = patch.object(run, "HOME", self.checkpoint.parent)
        with command, files, patch.object(run, "train_trunk", side_effect=self.train) as trained:
            with redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()):
                with self.assertRaises(SystemExit) as end:
                    run.main()
                self.assertEqual(end.exception.code, AGAIN)
                torch.save({**torch.load(self.checkpoint), "seconds": 1e5}, self.checkpoint)
                before = self.checkpoint.stat().st_mtime_ns
                run.main()
        self.assertEqual(trained.call_count, 1)
        self.assertEqual(self.checkpoint.stat().st_mtime_ns, before)
        self.assertIn("the trunk is finished", said.getvalue())


if __name__ == "__main__":
    unittest.main()
