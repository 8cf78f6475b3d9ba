import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import torch

from export import export_graph
from model import SIZES, Nano
from run import is_finished
from train_core import OWN_SHARE, load_model, train_core
from train_trunk import keep_trunk
from training import Plan, is_warm


class GoingOn(unittest.TestCase):
    """From the weights of a bundle."""

    @classmethod
    def setUpClass(cls):
        torch.manual_seed(5)
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.trunk, cls.model = cls.folder / "trunk.pt", Nano(SIZES["small"])
        for parameter in cls.model.parameters():  # tensors that are alike would be stored once in a graph
            torch.nn.init.normal_(parameter)
        export_graph(cls.model, cls.folder / "step.onnx")
        keep_trunk(cls.trunk, "small", cls.folder / "step.onnx")
        cls.begun = load_model(cls.trunk, "small").state_dict()

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
