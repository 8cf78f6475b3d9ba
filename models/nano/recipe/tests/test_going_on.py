import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import torch

import run
from export import export_graph
from model import SIZES, Nano
from run import is_finished
from train_core import OWN_SHARE, load_model, train_core
from train_trunk import keep_trunk
from training import Plan, is_warm


def bundle_in(folder):
    """The graph of a network of noise. @returns the network"""
    model = Nano(SIZES["small"])
    for parameter in model.parameters():  # tensors that are alike would be stored once
        torch.nn.init.normal_(parameter)
    export_graph(model, folder / "step.onnx")
    return model


class GoingOn(unittest.TestCase):
    """From the weights of a bundle."""

    @classmethod
    def setUpClass(cls):
        torch.manual_seed(5)
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.trunk, cls.model = cls.folder / "trunk.pt", bundle_in(cls.folder)
        keep_trunk(cls.trunk, "small", cls.folder / "step.onnx")
        cls.begun = load_model(cls.trunk, "small").state_dict()

    def run_of(self, start):
        """With checkpoints in a folder of its own."""
        home = Path(self.enterContext(tempfile.TemporaryDirectory()))
        one = run.Run("small", 1, None, run.BOOTSTRAP, start)
        one.trunk_file, one.core_file, one.model_file = (home / f"{name}.pt" for name in ("trunk", "core", "nano"))
        return one

    def test_a_trunk_of_another_bundle_makes_room_and_a_trained_one_does_not(self):
        other = self.folder / "other"
        other.mkdir()
        bundle_in(other)
        one = self.run_of(self.folder)
        one.trunk()
        begun = torch.load(one.trunk_file)["begun"]
        one.start = other / "step.onnx"
        one.trunk()
        self.assertNotEqual(torch.load(one.trunk_file)["begun"], begun)
        torch.save({**torch.load(one.trunk_file), "seconds": 60.0}, one.trunk_file)
        for start in (self.folder / "step.onnx", None):
            one.start = start
            with self.assertRaisesRegex(SystemExit, "move it away"):
                one.trunk()

    def test_what_is_finished_is_left_alone_so_that_what_was_made_of_it_is_not_outdated(self):
        one = self.run_of(self.folder)
        one.trunk()
        with patch.object(run, "in_workers"), patch.object(run, "train_core") as core, patch.object(run, "train_typed") as typed:
            one.core()
            self.assertEqual(core.call_count, 1)
            for made in (one.core_file, one.model_file):
                torch.save({}, made)
            for state, minutes in ((run.core_state(one.core_file), 35), (run.typed_state(one.model_file), 3)):
                torch.save({"seconds": minutes * 60}, state)
            one.core(), one.typed()
            self.assertEqual((core.call_count, typed.call_count), (1, 1))
            torch.save({"seconds": 8 * 60}, run.typed_state(one.model_file))
            one.typed()
            self.assertEqual(typed.call_count, 1)
            one.minutes = 50
            one.core()
            self.assertEqual(core.call_count, 2)

    def train_core(self, goes_on):
        """With training that adds 1 to all that is trained. @returns what was added to each weight"""

        def train(module, *_):
            for parameter in filter(lambda weight: weight.requires_grad, module.parameters()):
                parameter.data += 1

        with patch("train_core.train", train), patch("train_core.Practice"), patch("train_core.Shards"):
            train_core(self.folder, self.trunk, self.folder / "core.pt", "small", Plan(1, 1e-3), 2, "cpu", goes_on)
        state = torch.load(self.folder / "core.pt")["model"]
        return {name: float((state[name] - weights).mean()) for name, weights in self.begun.items()}

    def test_a_trunk_that_is_kept_is_that_of_the_bundle_and_needs_no_more_time(self):
        for name, weights in self.model.state_dict().items():
            if not name.startswith("trunk.phones") and name != "trunk.words.bias":
                self.assertTrue(torch.allclose(weights, self.begun[name], atol=1e-6), name)
        self.assertTrue(is_warm(self.trunk))
        self.assertTrue(is_finished(self.trunk, 0, blends=True))
        self.assertFalse(is_finished(self.trunk, 1, blends=True))

    def test_a_core_is_blended_with_the_one_that_it_began_from_and_reads_as_that_did(self):
        for name, added in self.train_core(goes_on=True).items():
            is_trained = name.startswith("core.") and not name.startswith("core.typed.")
            self.assertAlmostEqual(added, OWN_SHARE if is_trained else 0, 4, name)

    def test_a_core_from_scratch_is_its_own(self):
        for name, added in self.train_core(goes_on=False).items():
            self.assertAlmostEqual(added, 1 if name.startswith("core.") else 0, 4, name)


if __name__ == "__main__":
    unittest.main()
