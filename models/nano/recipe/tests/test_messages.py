import unittest

import numpy as np

from labels import ACT_TURNS, TYPED_TOKENS, turn_of
from messages import OWN, messages_in, question, type_many, type_messages, write
from tests.test_soundless import TURNS, sessions
from texts import Writer, parse
from vocabulary import ACT, ACT_INDEX, AGE, SAY_INDEX, WORDS, word_class


def acts_after(batch, row, last):
    """What the model does in the micro-turns in which it may be about a message whose last word came in `last`."""
    return {ACT[int(act)] for act in batch.act[row, last + 1 : last + 1 + ACT_TURNS]} - {"none"}


class Messages(unittest.TestCase):
    def test_are_read_with_their_last_word_and_without_what_the_runtime_tells(self):
        typed = np.zeros((20, TYPED_TOKENS), np.int64)
        write(typed, 2, ["how", "long", "is", "it", "from", "here", "to", "the", "park"])
        typed[9, :3] = [WORDS.index(AGE), word_class("ten"), word_class("seconds")]
        write(typed, 12, ["stop"])
        found = [([WORDS[word] for word in words], last) for words, last in messages_in(typed)]
        self.assertEqual(found, [("how long is it from here to the park".split(), 3), (["stop"], 12)])

    def test_with_no_room_are_not_begun(self):
        typed = np.zeros((4, TYPED_TOKENS), np.int64)
        self.assertIsNone(write(typed, 3, ["what"] * 9))
        self.assertFalse(typed.any())

    def test_that_are_instructions_of_a_recorded_session_are_handled_and_requests_are_not(self):
        batch = sessions(2)
        for row, text in enumerate(("count the animals", "translate a dog to spanish")):
            write(np.asarray(batch.typed[row]), 5, text.split())
        type_messages(batch, Writer(np.random.default_rng(1)), np.random.default_rng(1))
        self.assertEqual([acts_after(batch, row, 5) for row in range(2)], [{"handle"}, set()])

    def test_that_are_reminders_are_left_to_their_notes(self):
        batch = sessions()
        write(np.asarray(batch.typed[0]), 5, "remind me in ten seconds".split())
        type_messages(batch, Writer(np.random.default_rng(1)), np.random.default_rng(1))
        self.assertEqual(acts_after(batch, 0, 5), set())

    def test_that_are_written_into_recorded_sessions_are_nothing_to_act_upon_but_for_manners(self):
        batch = sessions(200)
        random = np.random.default_rng(3)
        type_messages(batch, Writer(random), random)
        done = [acts_after(batch, row, last) for row in range(200) for _, last in messages_in(batch.typed[row].numpy())]
        self.assertGreater(len(done), 60)
        self.assertEqual({act for acts in done for act in acts}, {"repeat", "louder", "quieter", "slower", "faster"})
        self.assertGreater(sum(not acts for acts in done), 2 * sum(bool(acts) for acts in done))

    def test_no_question_is_an_instruction(self):
        random = np.random.default_rng(4)
        writer = Writer(random)
        asked = [" ".join(parse(question(writer, random)).words) for _ in range(3_000)]
        classes = {tuple(word_class(word) for word in text.split()) for text in asked}
        self.assertFalse(classes & OWN)

    def test_without_sound_each_instruction_has_its_act_in_time_and_questions_have_none(self):
        batch, random = sessions(80), np.random.default_rng(5)
        seen = set()
        for row in range(80):
            type_many(batch, row, Writer(random), random)
            found = messages_in(batch.typed[row].numpy())
            for words, last in found:
                if last + ACT_TURNS >= TURNS:
                    continue
                acts = acts_after(batch, row, last)
                self.assertLessEqual(len(acts), 1)
                seen |= acts
                if words in OWN:
                    self.assertEqual(acts, {"handle"})
        self.assertEqual(seen, {"handle", "stop", "cancel", "continue", "repeat", "louder", "quieter", "slower", "faster"})

    def test_a_reminder_every_few_seconds_comes_until_it_is_stopped(self):
        batch, random, counted = sessions(80), np.random.default_rng(6), 0
        for row in range(80):
            type_many(batch, row, Writer(random), random)
            for words, last in messages_in(batch.typed[row].numpy()):
                text = [WORDS[word] for word in words]
                if not {"every", "seconds"} <= set(text) or acts_after(batch, row, last) != {"handle"}:
                    continue
                counted += 1
                begun = last - (len(words) - 1) // TYPED_TOKENS
                period = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}[text[text.index("every") + 1]]
                stop = next(turn for turn in range(last + 1, TURNS) if batch.act[row, turn] == ACT_INDEX["stop"])
                said = [turn for turn in range(begun, stop) if batch.say[row, turn] == SAY_INDEX["reminder"]]
                self.assertEqual(said, [begun + turn_of(period) * (index + 1) for index in range(len(said))])
                self.assertTrue(said)
        self.assertGreater(counted, 5)


if __name__ == "__main__":
    unittest.main()
