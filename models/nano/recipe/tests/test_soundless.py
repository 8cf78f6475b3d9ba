import unittest

import numpy as np
import torch

from labels import IGNORE, SLOT_SECONDS, SLOTS_PER_TURN, TYPED_TOKENS, WORD_DELAY_SLOTS, turn_of
from losses import Batch
from soundless import MUTED_SHARE, add_up, hush, measure_many, mute, tell_many
from splice import ANSWER_DELAY
from texts import Writer
from vocabulary import ACT_INDEX, AGE, FLOOR_INDEX, SAME, SAY, WORDS, number_words

TURNS = 150


def sessions(rows=1):
    grid = lambda *shape: torch.zeros(rows, TURNS, *shape, dtype=torch.long)
    slots = torch.zeros(rows, TURNS * SLOTS_PER_TURN, dtype=torch.long)
    return Batch(None, None, None, slots, slots.clone(), grid(), grid(), grid(), grid(), grid(TYPED_TOKENS))


def value(names):
    numbers = {" ".join(number_words(number)): number for number in range(61)} | {"a": 1}
    return numbers.get(" ".join(names))


def time_in(names):
    """Seconds."""
    unit = next((place for place, name in enumerate(names) if name in ("seconds", "minutes", "minute")), None)
    count = None if unit is None else value(names[:unit])
    return None if count is None else count * (1 if names[unit] == "seconds" else 60)


def heard_in(shares):
    """[T, W]: the first slot of each word, and its name."""
    words = shares.argmax(-1)
    return [(int(slot), WORDS[int(words[slot])]) for slot in (words.diff(prepend=words[:1]) * words).nonzero().flatten()]


def spoken(fill, seed):
    """A session that `fill` wrote into, and what is heard in it."""
    batch, random = sessions(), np.random.default_rng(seed)
    shares = torch.zeros(1, TURNS * SLOTS_PER_TURN, len(WORDS))
    fill(batch, 0, shares, Writer(random), random)
    return batch, heard_in(shares[0])


class Hush(unittest.TestCase):
    def test_only_what_is_quiet_is_left_in_runs_of_whole_micro_turns(self):
        batch = sessions(2)
        batch.floor[:, 30:] = FLOOR_INDEX["speaking"]
        batch.floor[1] = FLOOR_INDEX["speaking"]  # nothing of this one is quiet: it gets the other's
        batch.say[:, 40] = 3
        turns = torch.arange(TURNS).repeat_interleave(SLOTS_PER_TURN)
        hidden = torch.stack([turns, turns + 1000]).float()[..., None]
        empty, features = hush(batch, hidden)
        self.assertEqual(features.shape, hidden.shape)
        self.assertLess(features.max(), 30)
        self.assertEqual(len(features[0].unique()), 30)
        self.assertTrue((features.reshape(2, TURNS, SLOTS_PER_TURN).diff(dim=-1) == 0).all())
        self.assertEqual((int(empty.say.sum()), int(empty.floor.sum())), (0, 0))
        self.assertEqual(int(batch.say.sum()), 6)


    def test_some_are_of_a_microphone_that_is_off(self):
        torch.manual_seed(1)
        heard, nothing = torch.ones(400, 20, 3), torch.full((30, 3), -1.0)
        mute(heard, nothing)
        rows = heard.flatten(1)
        self.assertTrue((rows == rows[:, :1]).all())
        self.assertAlmostEqual(float((rows[:, 0] < 0).float().mean()), MUTED_SHARE, delta=0.1)


class Sums(unittest.TestCase):
    def test_the_wrong_ones_are_put_right_when_the_claim_is_heard_and_the_others_are_not(self):
        right = wrong = 0
        for seed in range(20):
            batch, heard = spoken(add_up, seed)
            names = [name for _, name in heard]
            for place in (index for index, name in enumerate(names) if name == "plus"):
                if place + 3 >= len(names):
                    continue  # the session ended in it
                first, second, claimed = value([names[place - 1]]), value([names[place + 1]]), value([names[place + 3]])
                due = (heard[place + 3][0] + 1) // SLOTS_PER_TURN
                said = SAY[int(batch.say[0, due])] if batch.say[0, due] != IGNORE else None
                if claimed == first + second:
                    right += 1
                    self.assertEqual(said, SAY[0])
                else:
                    wrong += 1
                    self.assertEqual(value([said]), first + second)
                    self.assertTrue((batch.say[0, due + 1 : due + 3] == IGNORE).all())
        self.assertGreater(min(right, wrong), 10)


class Durations(unittest.TestCase):
    def test_what_is_asked_for_is_answered_by_the_age_of_its_beginning(self):
        answered = 0
        beginnings = "i start now", "start the timer", "ready go", "i begin now", "let's begin", "okay start"
        questions = [text.split() for text in ("how long did that take", "how long was that", "how long did it take", "how many seconds was that")]
        for seed in range(30):
            batch, heard = spoken(measure_many, seed)
            names = [name for _, name in heard]
            ends = [at + len(text) - 1 for at in range(len(names)) for text in questions if names[at : at + len(text)] == text]
            due = [turn_of((heard[end][0] + 1 - WORD_DELAY_SLOTS) * SLOT_SECONDS + ANSWER_DELAY) for end in ends]
            said = (batch.say[0] > 0) & (batch.say[0] != IGNORE)
            self.assertLessEqual({int(turn) for turn in said.nonzero()}, {turn + late for turn in due for late in (0, 1)})
            for turn in due:
                text = [WORDS[int(word)] for told in range(turn) for word in batch.typed[0, told] if word]
                notes = [note.split() for note in " ".join(text).split(AGE)[1:]]
                age = next(note for note in reversed(notes) if " ".join(note).endswith(beginnings))
                answer = number_words(60) if age[0] == "one" else age[: age.index("seconds")]
                self.assertEqual([SAY[int(word)] for word in batch.say[0, turn : turn + len(answer)]], answer)
                answered += 1
            for turn in (batch.act[0] == ACT_INDEX["note"]).nonzero().flatten()[::2]:
                self.assertEqual(WORDS[int(batch.typed[0, turn + 1, 0])], AGE)
        self.assertGreater(answered, 25)


class Ages(unittest.TestCase):
    def test_a_note_is_reminded_of_when_its_age_is_what_it_asks_for_and_at_no_other(self):
        due = odd = idle = longest = 0
        for seed in range(40):
            batch, random = sessions(), np.random.default_rng(seed)
            tell_many(batch, 0, Writer(random), random)
            text, last = [], 0
            told = [(turn, WORDS[int(word)]) for turn in range(TURNS) for word in batch.typed[0, turn] if word]
            for index, (turn, word) in enumerate(told):
                text, last = ([], turn) if word == AGE else ([*text, word], turn)
                if index + 1 < len(told) and told[index + 1][1] != AGE:
                    continue
                unit = next(place for place, name in enumerate(text) if name in ("seconds", "minutes"))
                age, words, note = time_in(text), iter(text[: unit + 1] * 2), text[unit + 1 :]
                note = [next(words) if word == SAME else word for word in note]
                asked = next(filter(None, (time_in(note[first:]) for first in range(len(note)))), None)
                following = told[index + 1][0] if index + 1 < len(told) else TURNS
                reminders = (batch.say[0, last:following] == SAY.index("reminder")).nonzero().flatten().tolist()
                if asked == age:
                    self.assertIn(reminders, ([0], []))
                    due += len(reminders)
                    odd += age < 60 and age % 10 > 0
                else:
                    idle += 1
                    longest = max(longest, following - last)
                    self.assertEqual(reminders, [], (text, turn))
        self.assertGreater(min(due, odd, idle), 15)
        self.assertGreaterEqual(longest, 45)  # as long as where a reminder is to come
