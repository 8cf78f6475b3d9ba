import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import torch

from export import export_graph
from features import BANDS
from melody import PITCHES
from model import SIZES, Nano
from vocabulary import WORDS
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

    def test_a_layer_that_the_core_got_since_changes_nothing(self):
        torch.manual_seed(3)
        size = replace(SIZES["small"], windows=SIZES["small"].windows[:2])
        trained, grown = Nano(size), Nano(SIZES["small"])
        for parameter in trained.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        with tempfile.TemporaryDirectory() as folder:
            export_graph(trained, Path(folder) / "step.onnx")
            grown.load_state_dict(weights_of(Path(folder) / "step.onnx", grown))
        turns = 12
        heard = torch.randn(2, turns * 5, size.width), torch.randn(2, turns * 5, PITCHES), torch.rand(2, turns * 5, len(WORDS))
        told = (torch.zeros(2, turns).long(), torch.zeros(2, turns).long(), torch.zeros(2, turns, 8).long())
        with torch.no_grad():
            for one, other in zip(trained.core(*heard, *told), grown.core(*heard, *told)):
                self.assertTrue(torch.allclose(one, other, atol=1e-4))

    def test_a_context_that_the_trunk_got_since_changes_nothing(self):
        torch.manual_seed(3)
        trained, grown = Nano(replace(SIZES["small"], context=0)), Nano(SIZES["small"])
        for parameter in trained.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        with tempfile.TemporaryDirectory() as folder:
            export_graph(trained, Path(folder) / "step.onnx")
            grown.load_state_dict(weights_of(Path(folder) / "step.onnx", grown))
        sound = torch.randn(2, 12 * 20, 2 * BANDS)
        with torch.no_grad():
            one, other = trained.trunk(sound)[0], grown.trunk(sound)[0]
        self.assertTrue(torch.allclose(one, other, atol=1e-4))

    def test_phrases_that_the_core_got_since_change_nothing_and_a_word_that_is_only_typed_is_none_that_is_known(self):
        torch.manual_seed(3)
        trained, grown = Nano(replace(SIZES["small"], phrases=0)), Nano(SIZES["small"])
        for parameter in trained.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        with tempfile.TemporaryDirectory() as folder:
            export_graph(trained, Path(folder) / "step.onnx")
            grown.load_state_dict(weights_of(Path(folder) / "step.onnx", grown))
        known = torch.tensor([[[5, 9, WORDS.index("<unk>"), 0]]])
        more = torch.tensor([[[5, 9, len(WORDS) + 3, 0]]])
        with torch.no_grad():
            self.assertTrue(torch.allclose(trained.core.typed(known), grown.core.typed(more), atol=1e-4))

    def test_a_graph_of_another_network_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            other = replace(SIZES["small"], blocks=2, windows=(128, 320))
            export_graph(Nano(other), Path(folder) / "step.onnx")
            with self.assertRaises(ValueError):
                weights_of(Path(folder) / "step.onnx", Nano(SIZES["small"]))


if __name__ == "__main__":
    unittest.main()
