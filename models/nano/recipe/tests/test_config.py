import unittest
from unittest.mock import patch

import run
from config import HOME, RECIPES, REPORT
from dataset import SHARD_SESSIONS, session_seconds
from features import BANDS, HOP, RATE_HZ
from labels import SLOT_SECONDS, TURN_SECONDS, TYPED_TOKENS
from melody import PITCHES
from model import SIZES

HALF = 2
NOTES = 5_000
"""Of a session of 30 s in `sessions.json`, bytes."""
TESTS, CHECKPOINTS = 4.4e9, 0.6e9
"""The test sets with their sound and echo, and the checkpoints of the large network, as measured and as computed."""
DISK = 64e9


def shard_bytes(split: str, width: int) -> float:
    """A training shard, and what the core of a network of `width` hears in it."""
    seconds = session_seconds(split)
    turns, slots, hops = seconds / TURN_SECONDS, seconds / SLOT_SECONDS, seconds * RATE_HZ / HOP
    features = (2 * hops * BANDS + slots * PITCHES) * HALF
    labels = slots * (2 + 1) + turns * (4 + 2 * TYPED_TOKENS) + NOTES * seconds / 30
    heard = 2 * slots * (width + PITCHES) * HALF
    return SHARD_SESSIONS * (features + labels + heard)


class Recipes(unittest.TestCase):
    def test_everything_fits_on_the_disk_that_it_was_made_for(self):
        for size, recipe in RECIPES.items():
            shards = sum(count * shard_bytes(split, SIZES[size].width) for split, count in recipe.shards.items())
            self.assertLess(shards + TESTS + CHECKPOINTS, DISK, size)

    def test_every_shard_is_made_by_one_worker_and_splits_of_one_by_all(self):
        with patch.object(run, "make_shards") as made:
            for worker in range(2):
                run._make_data(worker, 2, {"a": 1, "b": 1, "c": 3}, first=7)
        shards = [call.args[2] for call in made.call_args_list]
        self.assertEqual(shards, [[("a", 7), ("c", 7), ("c", 9)], [("b", 7), ("c", 8)]])

    def test_a_report_of_another_size_is_not_written_over_the_shipped_one(self):
        report = lambda size: run.Run(size, 2, None, run.BOOTSTRAP, None).report
        self.assertEqual(report("small"), REPORT)
        self.assertEqual(report("large"), HOME / "report-large")
        with patch.object(run, "evaluate", side_effect=lambda *arguments: arguments[-1]), patch.object(
            run, "write_report", side_effect=lambda folder, _: str(folder)
        ) as written, patch.object(run, "draw") as drawn, patch.object(run, "shards_of", return_value=[None]):
            run.Run("large", 2, None, run.BOOTSTRAP, None).evaluate()
        for call in (written.call_args, drawn.call_args):
            self.assertEqual(call.args[0], HOME / "report-large")


if __name__ == "__main__":
    unittest.main()
