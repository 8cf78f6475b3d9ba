import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from dataset import Shards
from labels import IGNORE
from losses import Batch
from splice import type_reminders
from texts import Writer
from train_core import join
from vocabulary import FLOOR_INDEX, SAY_INDEX, WORDS


def grids(sessions, turns):
    return {name: torch.zeros(sessions, turns, dtype=torch.long) for name in Batch.__dataclass_fields__}


class Join(unittest.TestCase):
    def test_what_the_first_session_asked_for_is_judged_in_it_alone(self):
        batch = Batch(**{**grids(4, 3), "say": torch.tensor([[0, 5, 0], [0, 0, 7], [0, IGNORE, 0], [0, 0, 7]])})
        joined, hidden = join(batch, torch.arange(4 * 15 * 2).reshape(4, 15, 2))
        self.assertEqual(joined.say.tolist(), [[0, 5, 0, IGNORE, IGNORE, IGNORE], [0, IGNORE, 0, 0, 0, 7]])
        self.assertEqual(joined.floor.shape, (2, 6))
        self.assertEqual(hidden[0, 15].tolist(), [30, 31])


class TypeReminders(unittest.TestCase):
    def test_each_is_due_so_many_seconds_after_it_was_typed_where_nobody_spoke(self):
        torch.manual_seed(2)
        batch = Batch(**{**grids(40, 300), "typed": torch.zeros(40, 300, 8, dtype=torch.long)})
        batch.floor[:, :50] = FLOOR_INDEX["speaking"]
        type_reminders(batch, Writer(np.random.default_rng(2)))
        delays = []
        for typed, say, play in zip(batch.typed, batch.say, batch.play):
            asked, due = int(typed.any(1).nonzero()[0]), int((say == SAY_INDEX["reminder"]).nonzero())
            words = [WORDS[index] for index in typed.flatten().tolist() if index]
            self.assertIn("remind", words)
            self.assertGreaterEqual(asked, 50)
            self.assertEqual([int(say[due - 1]), int(say[due + 1]), int(play[due + 1])], [IGNORE, IGNORE, 1])
            delays.append((due - asked) // 5)
        self.assertLess(min(delays), 10)
        self.assertGreater(max(delays), 35)


class Draw(unittest.TestCase):
    def test_splits_are_drawn_by_their_shares_however_large_they_are(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, rows in (("train-0000", 90), ("skills-0000", 10)):
                path = Path(folder) / name
                path.mkdir()
                for grid in Shards.NAMES:
                    np.save(path / f"{grid}.npy", np.zeros((rows, 1)))
                (path / "sessions.json").write_text(json.dumps([]))
            shards = Shards(Path(folder))
            torch.manual_seed(1)
            drawn = shards.draw(400, {"train": 0.25, "skills": 0.75, "drill": 5.0})
            of_skills = sum(shards._places[index][0].name == "skills-0000" for index in drawn)
            self.assertAlmostEqual(of_skills / 400, 0.75, delta=0.08)


if __name__ == "__main__":
    unittest.main()
