import unittest

import torch

from model import SIZES, Nano
from muon import Muon, hidden_matrices, orthogonal


class Matrices(unittest.TestCase):
    def test_what_meets_a_vocabulary_is_left_to_adamw(self):
        model = Nano(SIZES["small"])
        inside = hidden_matrices(model)
        for outer in (model.trunk.words, model.core.say, model.core.read_words, model.core.own_word):
            self.assertNotIn(outer.weight, inside)
        self.assertIn(model.trunk.blocks[0].widen.weight, inside)
        self.assertEqual(inside[model.core.gru.weight_hh_l0], 3)
        self.assertNotIn(model.trunk.blocks[0].depthwise.weight, inside)


class Update(unittest.TestCase):
    def test_singular_values_come_near_one_whatever_the_shape(self):
        torch.manual_seed(1)
        for shape in ((24, 64), (64, 24)):
            values = torch.linalg.svdvals(orthogonal(torch.randn(shape) @ torch.diag(torch.logspace(-1, 1, shape[1]))))
            self.assertGreater(float(values.min()), 0.3)
            self.assertLess(float(values.max()), 1.4)

    def test_a_badly_scaled_problem_is_solved(self):
        torch.manual_seed(1)
        layer, target = torch.nn.Linear(16, 16, bias=False), torch.randn(16, 16)
        scale = torch.logspace(-2, 0, 16)
        optimiser = Muon({layer.weight: 1}, 0.1, 0.0)
        loss = lambda: (((layer.weight - target) * scale) ** 2).mean()
        first = loss().item()
        for step in range(200):
            optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / 200)
            optimiser.zero_grad()
            loss().backward()
            optimiser.step()
        self.assertLess(loss().item(), first / 30)


if __name__ == "__main__":
    unittest.main()
