"""Where the floor's loss looks."""

import unittest

import torch

from losses import decisive
from vocabulary import FLOOR_INDEX


class Decisive(unittest.TestCase):
    def test_the_first_micro_turns_of_a_pause_and_of_an_end(self):
        names = "silent speaking holding holding holding speaking yielded yielded yielded silent".split()
        floor = torch.tensor([[FLOOR_INDEX[name] for name in names]])
        self.assertEqual(decisive(floor)[0].int().tolist(), [0, 0, 1, 1, 0, 0, 1, 1, 0, 0])

    def test_the_first_micro_turns_of_an_interruption_and_of_a_backchannel(self):
        names = "silent barge-in barge-in barge-in barge-in backchannel backchannel backchannel elsewhere".split()
        floor = torch.tensor([[FLOOR_INDEX[name] for name in names]])
        self.assertEqual(decisive(floor)[0].int().tolist(), [0, 1, 1, 1, 0, 1, 1, 1, 0])


if __name__ == "__main__":
    unittest.main()
