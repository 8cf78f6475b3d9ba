import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from dataset import LABEL_NAMES
from features import BANDS
from melody import PITCHES
from model import SIZES, Nano, Typed
from practice import Exercise
from losses import to_batch
from tests.test_export import TINY
from train_core import losses_in
from training import Plan, train
from vocabulary import FIRST_MARK, typed_class

CLASSES = lambda text: [typed_class(word) for word in text.split()]


def told(typed, *rows):
    width = max(len(row) for row in rows)
    with torch.no_grad():
        return typed(torch.tensor([[row + [0] * (width - len(row)) for row in rows]]))[0]


class WhatIsTyped(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(4)
        self.typed = Typed(TINY)
        torch.nn.init.normal_(self.typed.tell.weight)

    def test_is_nothing_where_nothing_is_typed(self):
        self.assertEqual(float(told(self.typed, [0, 0, 0]).abs().max()), 0)

    def test_is_read_in_its_order(self):
        one, other = told(self.typed, CLASSES("you stop me"), CLASSES("me stop you"))
        self.assertGreater(float((one - other).abs().max()), 1e-3)

    def test_is_the_same_however_much_room_is_left(self):
        short, long = told(self.typed, CLASSES("speak louder")), told(self.typed, CLASSES("speak louder"), [1] * 8)
        self.assertTrue(torch.allclose(short[0], long[0], atol=1e-6))

    def test_is_the_sum_of_its_words_from_a_mark_to_the_end_of_what_fills_each_micro_turn(self):
        torch.nn.init.normal_(self.typed.more.weight)
        full = CLASSES("one two three four five six seven eight")
        is_sum = lambda *rows: [
            bool(torch.allclose(row, self.typed.words(torch.tensor([*words, 0])).sum(0), atol=1e-5)) for row, words in zip(told(self.typed, *rows), rows)
        ]
        marked = [*full[:5], FIRST_MARK, *full[:2]]
        self.assertEqual(is_sum(full, marked, full, full[:3], full), [False, True, True, True, False])
        self.assertEqual(is_sum(marked[:-1], full), [True, False])
        self.assertEqual(is_sum(marked, [], full), [True, True, False])

    def test_without_phrases_is_a_sum_of_words(self):
        typed = Typed(replace(TINY, phrases=0))
        one, other = told(typed, CLASSES("you stop me"), CLASSES("me stop you"))
        self.assertTrue(torch.allclose(one, other, atol=1e-6))


class Reading(unittest.TestCase):
    """The third phase learns how the core is told what is typed, and nothing else."""

    def test_leaves_everything_else_as_it_was(self):
        torch.manual_seed(4)
        model = Nano(TINY).requires_grad_(False)
        model.core.typed.requires_grad_(True)
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        turns = 20

        class OneMessage:
            def draw(self, random):
                arrays = {name: np.zeros((2, turns * (5 if name in ("words", "phones") else 1)), np.int64) for name in LABEL_NAMES}
                arrays["typed"] = np.zeros((2, turns, 8), np.int64)
                arrays["typed"][:, 3, :2] = CLASSES("speak louder")
                arrays["act"][:, 4] = 9
                heard = torch.randn(2, turns * 5, TINY.width + PITCHES)
                return Exercise("plain", to_batch(arrays), heard, [[], []], ())

        with tempfile.TemporaryDirectory() as folder, patch.object(Exercise, "tell", lambda *_: None):
            plan = Plan(minutes=0.02, rate=1e-2, warm_up_steps=1, workers=1)
            train(model.core.typed, losses_in(OneMessage(), model, "cpu"), plan, Path(folder) / "typed.pt")
        changed = {name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])}
        self.assertTrue(changed)
        self.assertTrue(all(name.startswith("core.typed.") for name in changed), changed)


if __name__ == "__main__":
    unittest.main()
