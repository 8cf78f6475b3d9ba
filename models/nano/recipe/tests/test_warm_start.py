import tempfile
import unittest
from pathlib import Path

import torch

from export import export_graph
from model import SIZES, Nano
from warm_start import weights_of


class WarmStart(unittest.TestCase):
    def test_the_weights_of_a_graph_are_those_that_were_exported(self):
        torch.manual_seed(3)
        trained, fresh = Nano(SIZES["small"]), Nano(SIZES["small"])
        for parameter in trained.parameters():  # tensors that are alike, as fresh ones are, would be stored once
            torch.nn.init.normal_(parameter)
        with tempfile.TemporaryDirectory() as folder:
            export_graph(trained, Path(folder) / "step.onnx")
            state = weights_of(Path(folder) / "step.onnx", fresh)
        for name, weight in trained.state_dict().items():
            if not name.startswith("trunk.phones") and name != "trunk.words.bias":
                self.assertTrue(torch.allclose(weight, state[name], atol=1e-6), name)


if __name__ == "__main__":
    unittest.main()
