import unittest

import numpy as np
import torch

from ages import MOST_WORDS, handled
from labels import ACT_TURNS, SLOTS_PER_TURN, TURN_SECONDS, TYPED_TOKENS, turn_of
from line import parse, phrases
from messages import ANSWER_TURNS, OWN, handle_typed, messages_in, question, to_time, type_many, type_messages, write
from synthesis import Span
from tests.test_soundless import TURNS, heard_in, sessions, time_in
from texts import COUNT_ANIMALS, Writer
from typist import Typist
from vocabulary import ACT, ACT_INDEX, AGE, ANIMALS, NUMBERS, SAY, SAY_INDEX, TYPED, UNITS, WORDS, number_words, typed_class, word_class

HOW_LONG = ("how long did that take", "how long was that", "how long did it take")
COUNTS = {tuple(word_class(word) for word in phrase.split()) for phrase in phrases(*COUNT_ANIMALS)}


def acts_after(batch, row, last):
    """What the model does in the micro-turns in which it may be about a message whose last word came in `last`."""
    return {ACT[int(act)] for act in batch.act[row, last + 1 : last + 1 + ACT_TURNS]} - {"none"}


def written(count):
    """Sessions without sound full of messages, and what is heard in each."""
    random = np.random.default_rng(5)
    for _ in range(count):
        batch, shares = sessions(), torch.zeros(TURNS * SLOTS_PER_TURN, len(WORDS))
        type_many(batch, 0, shares, Writer(random), random)
        yield batch, heard_in(shares)


def _words(classes):
    return " ".join(TYPED[word] for word in classes)


class Messages(unittest.TestCase):
    def test_a_note_of_one_keeps_its_time_where_that_is_not_among_its_last_words(self):
        said = "in twenty two seconds i would like you to say something to me about it".split()
        self.assertEqual(_words(to_time(tuple(typed_class(word) for word in said))), "in twenty two seconds")
        said = "i would like you to say something to me about it in two minutes please".split()
        self.assertEqual(_words(to_time(tuple(typed_class(word) for word in said))), " ".join(said[-MOST_WORDS:]))

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
        handle_typed(batch)
        self.assertEqual([acts_after(batch, row, 5) for row in range(2)], [{"handle"}, set()])

    def test_that_are_reminders_are_left_to_their_notes(self):
        batch = sessions()
        write(np.asarray(batch.typed[0]), 5, "remind me in ten seconds".split())
        handle_typed(batch)
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
        classes = {tuple(typed_class(word) for word in text.split()) for text in asked}
        self.assertFalse(classes & OWN)

    def test_some_are_strange_words_or_numbers_that_nothing_is_asked_of(self):
        random = np.random.default_rng(5)
        writer = Typist(random)
        asked = {" ".join(parse(question(writer, random)).words) for _ in range(3_000)}
        self.assertTrue(asked >= {"<unk>", "<unk> <unk>"})
        strange = [text for text in asked if text.startswith("<unk> ") and set(text.split()[1:]) <= set(NUMBERS)]
        self.assertGreater(len(strange), 10)

    def test_without_sound_each_instruction_has_its_act_in_time(self):
        seen = set()
        for batch, _ in written(200):
            for words, last in messages_in(batch.typed[0].numpy()):
                acts = acts_after(batch, 0, last)
                self.assertLessEqual(len(acts), 1)
                seen |= acts
                if words in OWN and last + ACT_TURNS < TURNS:
                    self.assertEqual(acts, {"handle"})
        self.assertEqual(seen, {"handle", "note", "stop", "cancel", "continue", "repeat", "louder", "quieter", "slower", "faster"})

    def test_a_reminder_every_few_seconds_comes_until_it_is_stopped(self):
        counted = 0
        for batch, _ in written(80):
            for words, last in messages_in(batch.typed[0].numpy()):
                text = [TYPED[word] for word in words]
                if acts_after(batch, 0, last) != {"note"} or "every" not in text:
                    continue
                counted += 1
                begun = last - (len(words) - 1) // TYPED_TOKENS
                period = next(count for count in range(2, 13) if number_words(count) == text[text.index("every") + 1 :][:1])
                stop = next(turn for turn in range(last + 1, TURNS) if batch.act[0, turn] in (ACT_INDEX["stop"], ACT_INDEX["cancel"]))
                said = [turn for turn in range(begun, stop) if batch.say[0, turn] == SAY_INDEX["reminder"]]
                self.assertEqual(said, [begun + turn_of(period) * (index + 1) for index in range(len(said))])
                self.assertTrue(said)
        self.assertGreater(counted, 5)

    def test_a_reminder_comes_once_by_its_age_where_that_is_told_unless_it_is_called_off(self):
        counted = cancelled = 0
        for batch, _ in written(200):
            typed = batch.typed[0].numpy()
            for words, last in messages_in(typed):
                text = [TYPED[word] for word in words]
                if acts_after(batch, 0, last) != {"note"} or "in" not in text:
                    continue
                counted += 1
                begun = last - (len(words) - 1) // TYPED_TOKENS
                seconds = time_in(text[text.index("in") + 1 :])
                due = begun + turn_of(seconds)
                said = [turn for turn in range(begun, due + 20) if turn < TURNS and batch.say[0, turn] == SAY_INDEX["reminder"]]
                if ACT_INDEX["cancel"] in batch.act[0, last + 1 : due]:
                    cancelled += 1
                    self.assertNotIn(due, said)
                    continue
                self.assertEqual(said[:1], [due])
                told = [turn for turn in range(begun + turn_of(10), due + 1) if WORDS.index(AGE) in typed[turn]]
                self.assertEqual(len(told) > 0, seconds >= 10)
        self.assertGreater(counted, 20)
        self.assertGreater(cancelled, 2)

    def test_a_sum_is_left_to_somebody_else(self):
        sums = 0
        for batch, _ in written(200):
            for words, last in messages_in(batch.typed[0].numpy()):
                if words[-1] in {word_class(number) for number in NUMBERS} and word_class("plus") in words:
                    sums += 1
                    self.assertEqual(acts_after(batch, 0, last), set())
        self.assertGreater(sums, 5)

    def test_some_sessions_begin_with_a_message(self):
        first = [messages[0][1] for messages in (messages_in(batch.typed[0].numpy()) for batch, _ in written(100)) if messages]
        self.assertTrue(5 < sum(turn <= 1 for turn in first) < 50)

    def test_how_long_something_took_is_told_when_it_ends_and_said_when_it_is_asked_for(self):
        asked = {tuple(word_class(word) for word in text.split()) for text in HOW_LONG}
        counted = 0
        for batch, _ in written(200):
            typed = batch.typed[0].numpy()
            # What is told may go on in the next micro-turn, where it looks like a message.
            messages = [(words, last) for words, last in messages_in(typed) if acts_after(batch, 0, last)]
            for index, (words, last) in enumerate(messages):
                if words not in asked:
                    continue
                counted += 1
                self.assertEqual(acts_after(batch, 0, last), {"handle"})
                begun, ended = (other for _, other in messages[index - 2 : index])
                took = number_words(round((ended - begun) * TURN_SECONDS))
                told = [TYPED[word] for turn in range(ended + 1, last) for word in typed[turn] if word]
                self.assertIn(" ".join([AGE, *took, "seconds"]), " ".join(told))
                self.assertEqual([SAY[int(batch.say[0, last + ANSWER_TURNS + place])] for place in range(len(took))], took)
        self.assertGreater(counted, 5)

    def test_animals_are_counted_from_a_message_to_a_stop_and_no_others(self):
        counted = 0
        for batch, heard in written(120):
            begun = [last for words, last in messages_in(batch.typed[0].numpy()) if words in COUNTS]
            stops = [turn for turn in range(TURNS) if batch.act[0, turn] == ACT_INDEX["stop"]]
            for slot, name in heard:
                turn = (slot + 1) // SLOTS_PER_TURN
                if name not in ANIMALS or turn + 3 >= TURNS:
                    continue
                since = max((last for last in begun if last < turn), default=-1)
                is_stopped = any(since < stop < turn for stop in stops)
                number = SAY[int(batch.say[0, turn])] if batch.say[0, turn] < len(SAY) else None
                self.assertEqual(number in UNITS, not is_stopped, (turn, since, stops))
                counted += not is_stopped
        self.assertGreater(counted, 20)


class Handled(unittest.TestCase):
    def test_are_instructions_that_nothing_follows_at_once(self):
        spans = lambda text, start: [Span(word, start + 0.3 * i, start + 0.3 * i + 0.25) for i, word in enumerate(text.split())]
        spoken = [*spans("so count the animals", 1), *spans("count the animals in the park", 4), *spans("translate to spanish", 8)]
        self.assertEqual(np.round(handled(spoken), 2).tolist(), [2.15, 8.85])


if __name__ == "__main__":
    unittest.main()
