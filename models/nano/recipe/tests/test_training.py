import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from ages import Note
from augment import STRETCH, augment, transpose
from dataset import Shards
from features import BANDS
from labels import IGNORE, TURN_SECONDS, turn_of
from losses import Batch
from melody import PITCHES
from model import SIZES, Nano
from practice import join, join_notes
from splice import type_reminders
from texts import Writer
from train_core import as_said, cache_features, cache_names
from training import Average, averaged, blend
from vocabulary import ACT_INDEX, FLOOR_INDEX, SAY_INDEX, WORDS


def grids(sessions, turns):
    return {name: torch.zeros(sessions, turns, dtype=torch.long) for name in Batch.__dataclass_fields__}


class Join(unittest.TestCase):
    def test_what_the_first_session_asked_for_is_judged_in_it_alone(self):
        batch = Batch(**{**grids(4, 3), "say": torch.tensor([[0, 5, 0], [0, 0, 7], [0, IGNORE, 0], [0, 0, 7]])})
        joined, hidden = join(batch, torch.arange(4 * 15 * 2).reshape(4, 15, 2))
        self.assertEqual(joined.say.tolist(), [[0, 5, 0, IGNORE, IGNORE, IGNORE], [0, IGNORE, 0, 0, 0, 7]])
        self.assertEqual(joined.floor.shape, (2, 6))
        self.assertEqual(hidden[0, 15].tolist(), [30, 31])


class AsSaid(unittest.TestCase):
    def after(self, say, decided):
        return as_said(torch.tensor([say]), torch.tensor([decided])).tolist()[0]

    def test_what_was_said_when_it_was_due_stays(self):
        self.assertEqual(self.after([0, 0, 5, 0], [0, 0, 5, 5]), [0, 0, 5, 0])

    def test_what_was_said_early_is_right_and_not_due_again(self):
        self.assertEqual(self.after([0, 0, 5, 0], [0, 5, 6, 0]), [0, 5, 0, 0])
        self.assertEqual(self.after([0, IGNORE, 5, IGNORE], [0, 5, 5, 0]), [0, 5, 0, IGNORE])

    def test_what_was_said_late_is_right_too(self):
        self.assertEqual(self.after([0, 5, 0, 0], [0, 0, 5, 0]), [0, IGNORE, 5, 0])

    def test_what_was_not_said_or_said_wrong_is_due(self):
        self.assertEqual(self.after([0, 5, 0, 0], [0, 4, 0, 5]), [0, 5, 0, 0])

    def test_one_after_the_other_stay_apart(self):
        self.assertEqual(self.after([0, 5, 6, 0], [5, 6, 0, 0]), [5, 6, 0, 0])
        self.assertEqual(self.after([0, 5, 6, 0], [0, 0, 5, 6]), [0, 5, IGNORE, 6])
        self.assertEqual(self.after([0, 5, 5, 0], [0, 5, 5, 0]), [0, 5, 5, 0])

    def test_a_word_in_the_place_of_another_is_not_early(self):
        self.assertEqual(self.after([5, 6, 0], [6, 6, 0]), [5, 6, 0])


class TypeReminders(unittest.TestCase):
    def test_each_is_due_so_many_seconds_after_it_was_typed_where_nobody_spoke(self):
        torch.manual_seed(2)
        batch = Batch(**{**grids(40, 300), "typed": torch.zeros(40, 300, 8, dtype=torch.long)})
        batch.floor[:, :50] = FLOOR_INDEX["speaking"]
        noted = type_reminders(batch, Writer(np.random.default_rng(2)))
        delays, recalled = [], 0
        for (note,), typed, say, play, act in zip(noted, batch.typed, batch.say, batch.play, batch.act):
            self.assertEqual(turn_of(note.asked), int(typed.any(1).nonzero()[0]))
            if note.minutes or (act == ACT_INDEX["cancel"]).any():
                self.assertFalse((say > 0).any())
                recalled += not note.minutes and note.ends == float((act == ACT_INDEX["cancel"]).nonzero()[0] - 1) * TURN_SECONDS
                continue
            asked, due = int(typed.any(1).nonzero()[0]), int((say == SAY_INDEX["reminder"]).nonzero())
            words = [WORDS[index] for index in typed.flatten().tolist() if index]
            self.assertIn("remind", words)
            self.assertGreaterEqual(asked, 50)
            self.assertEqual([int(say[due - 1]), int(say[due + 1]), int(play[due + 1])], [IGNORE, IGNORE, 1])
            delays.append((due - asked) // 5)
        self.assertLess(min(delays), 10)
        self.assertGreater(max(delays), 35)
        self.assertGreater(recalled, 3)


class JoinNotes(unittest.TestCase):
    def test_those_of_the_second_session_are_later(self):
        one, other = Note(1.0, (3,), 8), Note(2.0, (4,), 12, ends=5.0)
        self.assertEqual(join_notes([[one], [other]], 150), [[one, Note(32.0, (4,), 162, ends=35.0)]])


class Averaging(unittest.TestCase):
    def test_the_mean_of_what_was_taken_is_what_is_left_and_what_goes_on(self):
        module = torch.nn.Linear(1, 1, bias=False)
        average = Average(module)
        for value in (1.0, 2.0):
            module.weight.data.fill_(value)
            average.take()
        again = Average(module, average.saved())
        module.weight.data.fill_(6.0)
        again.take()
        saved = {"model": {name: weight.clone() for name, weight in module.state_dict().items()}, "average": again.saved()}
        self.assertAlmostEqual(float(averaged(saved)["weight"]), 3.0)
        again.settle()
        self.assertAlmostEqual(float(module.weight), 3.0)

    def test_without_any_the_weights_are_the_modules(self):
        module = torch.nn.Linear(1, 1)
        before = {name: weight.clone() for name, weight in module.state_dict().items()}
        average = Average(module)
        average.settle()
        self.assertTrue(all(torch.equal(before[name], weight) for name, weight in module.state_dict().items()))
        self.assertIs(averaged({"model": before, "average": average.saved()}), before)

    def test_a_blend_is_half_of_what_training_began_from(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trunk.pt"
            torch.save({"model": {}, "average": {"count": 2, "mean": {"weight": torch.tensor([2.0])}}, "step": 9}, path)
            blend(path, {"weight": torch.tensor([6.0])})
            self.assertEqual(averaged(torch.load(path))["weight"].tolist(), [4.0])
            self.assertEqual(torch.load(path)["step"], 9)


def make_toy_shard(path, turns=10):
    """Two sessions of noise."""
    path.mkdir()
    random = np.random.default_rng(4)
    shapes = {"mic": (20 * turns, BANDS), "ref": (20 * turns, BANDS), "melody": (5 * turns, PITCHES)}
    for name in Shards.NAMES:
        np.save(path / f"{name}.npy", random.standard_normal((2, *shapes.get(name, (turns,)))).astype(np.float16))
    (path / "sessions.json").write_text(json.dumps([]))


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

    def test_what_an_older_recipe_left_without_a_melody_is_no_shard(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("train-0000", "train-0001"):
                make_toy_shard(Path(folder) / name)
            (Path(folder) / "train-0000" / "melody.npy").unlink()
            self.assertEqual([path.name for path in Shards(Path(folder)).paths], ["train-0001"])


class CachedFeatures(unittest.TestCase):
    """What the core hears, from the sound of a shard to the layers that take it."""

    def setUp(self):
        torch.manual_seed(5)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.shard = Path(self.folder.name) / "train-0000"
        make_toy_shard(self.shard)
        self.trunk = Path(self.folder.name) / "trunk.pt"
        self.model = Nano(SIZES["small"]).eval()
        torch.save({"model": self.model.state_dict()}, self.trunk)
        cache_features(Shards(Path(self.folder.name)), self.trunk, "small")

    def heard(self, name):
        return torch.from_numpy(np.load(self.shard / name).astype(np.float32))

    def test_it_is_the_trunk_s_features_and_behind_them_the_melody(self):
        mel = torch.from_numpy(np.concatenate([np.load(self.shard / f"{name}.npy") for name in ("mic", "ref")], -1)).float()
        with torch.no_grad():
            expected = self.model.trunk(mel)[0]
        hidden, melody = self.heard(cache_names("small")[0]).split([self.model.size.width, PITCHES], dim=-1)
        self.assertLess(float((hidden - expected).abs().max()), 0.1)
        self.assertTrue(torch.equal(melody, torch.from_numpy(np.load(self.shard / "melody.npy")).float()))

    def test_as_another_voice_has_it_the_melody_is_the_same_and_the_features_are_not(self):
        plain, other = (self.heard(name) for name in cache_names("small"))
        self.assertEqual(plain.shape, other.shape)
        self.assertTrue(torch.equal(plain[..., -PITCHES:], other[..., -PITCHES:]))
        self.assertGreater(float((plain - other)[..., :-PITCHES].abs().mean()), 0.01)

    def test_a_batch_has_any_of_the_two(self):
        names = cache_names("small")
        shards = Shards(Path(self.folder.name), extra={"heard": names})
        of = [np.load(self.shard / name)[0] for name in names]
        drawn = [shards.batch([0])["heard"][0] for _ in range(30)]
        self.assertEqual({index for one in drawn for index in (0, 1) if np.array_equal(one, of[index])}, {0, 1})

    def test_it_is_made_again_for_another_trunk_and_not_otherwise(self):
        path = self.shard / cache_names("small")[0]
        before = path.stat().st_mtime_ns
        cache_features(Shards(Path(self.folder.name)), self.trunk, "small")
        self.assertEqual(path.stat().st_mtime_ns, before)
        os.utime(self.trunk, ns=(before + 10**9, before + 10**9))
        cache_features(Shards(Path(self.folder.name)), self.trunk, "small")
        self.assertGreater(path.stat().st_mtime_ns, before)


class Augment(unittest.TestCase):
    def test_every_stretch_is_masked_anew_and_the_reference_is_not(self):
        torch.manual_seed(1)
        mic, ref = torch.randn(4, 4 * STRETCH, BANDS) * 0.1 + 1, torch.ones(4, 4 * STRETCH, BANDS)
        with patch("augment.BAND_MASK_CHANCE", 1.0):
            mixed = augment(mic, ref)
        masked = mixed[..., :BANDS].diff(dim=1) == 0  # what is hidden is the same from frame to frame
        changes = set()
        for row in masked:
            hidden = row.unfold(0, 40, 40).float().mean(-1) > 0.6  # [fifths of a stretch, BANDS], nearly
            self.assertTrue((hidden.sum(-1) >= 1).float().mean() > 0.9)
            self.assertTrue((hidden.sum(-1) <= 6).float().mean() > 0.8)
            changes |= set((hidden[1:] != hidden[:-1]).any(-1).nonzero().flatten().tolist())
        self.assertGreater(len(changes), 8)  # at other times in every session
        self.assertTrue((mixed[..., BANDS:] == 1).all())


class Transpose(unittest.TestCase):
    def test_every_session_is_moved_as_a_whole_and_its_ends_go_on(self):
        torch.manual_seed(1)
        melody = torch.arange(PITCHES).float().expand(40, 6, PITCHES)
        moved = transpose(melody)
        steps = set()
        for row in moved:
            self.assertTrue(torch.equal(row, row[:1].expand_as(row)))
            step = int(row[0, PITCHES // 2]) - PITCHES // 2
            self.assertEqual(row[0].tolist(), [min(PITCHES - 1, max(0, at + step)) for at in range(PITCHES)])
            steps.add(step)
        self.assertGreater(len(steps), 4)


if __name__ == "__main__":
    unittest.main()
