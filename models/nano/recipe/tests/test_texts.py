import unittest

import numpy as np

from lexicon import BLIND_REPLIES, BLIND_SMALL_TALK, REPLIES, SMALL_TALK
from line import parse, phrases
from texts import Writer
from vocabulary import ANIMALS, WORDS, canonical, number_words


class Markup(unittest.TestCase):
    def test_marks_are_taken_out_and_kept_by_word_index(self):
        line = parse("i saw a horse [ no a goat ] | and , left".split())
        self.assertEqual(line.words, "i saw a horse no a goat and left".split())
        self.assertEqual((line.corrections, line.breaks, line.commas), ([(4, 7)], [6], [7]))

    def test_brackets_must_match(self):
        for text in ("a ] b", "a [ b"):
            with self.assertRaises(ValueError):
                parse(text.split())


class ShortTurns(unittest.TestCase):
    def test_those_of_tests_are_none_of_the_phrases_of_training(self):
        trained = set(phrases(*REPLIES, *SMALL_TALK))
        self.assertGreater(len(BLIND_REPLIES) + len(BLIND_SMALL_TALK), 100)
        self.assertEqual([line for line in (*BLIND_REPLIES, *BLIND_SMALL_TALK) if line in trained], [])
        writer = Writer(np.random.default_rng(4))
        self.assertTrue(all(" ".join(writer.reply()) in BLIND_REPLIES for _ in range(50)))
        self.assertTrue(all(" ".join(writer.small_talk()) in BLIND_SMALL_TALK for _ in range(50)))

    def test_in_training_they_are_a_word_or_a_few(self):
        writer = Writer(np.random.default_rng(4), varied=True)
        lengths = [len(parse(make()).words) for make in (writer.reply, writer.small_talk) for _ in range(300)]
        self.assertEqual(min(lengths), 1)
        self.assertLess(max(lengths), 10)


class Sentences(unittest.TestCase):
    def test_a_story_names_as_many_animals_as_it_was_asked_for(self):
        writer = Writer(np.random.default_rng(1))
        for count in (1, 3, 5):
            line = parse(writer.story(count))
            corrected = {index for first, past in line.corrections for index in range(first, past)}
            named = [
                word for index, word in enumerate(line.words) if canonical(word) in ANIMALS and index not in corrected
            ]
            self.assertGreaterEqual(len(named), count)  # a restart says the first words twice
            self.assertLessEqual(len(named), count + 1)

    def test_the_same_seed_says_the_same(self):
        one, two = (Writer(np.random.default_rng(3)) for _ in range(2))
        self.assertEqual([one.utterance() for _ in range(20)], [two.utterance() for _ in range(20)])

    def test_every_sentence_parses(self):
        writer = Writer(np.random.default_rng(2))
        for _ in range(300):
            for make in (
                writer.reply,
                writer.small_talk,
                writer.fragments,
                writer.utterance,
                writer.request,
                writer.aside,
                writer.stop,
                writer.cancel,
                writer.backchannel,
            ):
                self.assertTrue(parse(make()).words)

    def test_training_says_every_form_of_a_class_and_asks_for_one_minute_and_tests_do_neither(self):
        def drawn(varied):
            writer = Writer(np.random.default_rng(2), varied)
            words = {word for _ in range(4_000) for word in parse(writer.salad()).words}
            return words & {"minute", "hours", "second"}, sum(writer.minutes() == 1 for _ in range(200))

        forms, in_one = drawn(varied=True)
        self.assertEqual(forms, {"minute", "hours", "second"})
        self.assertGreater(in_one, 50)
        forms, in_one = drawn(varied=False)
        self.assertFalse(forms)
        self.assertLess(in_one, 30)

    def test_numbers_are_said_in_words_of_the_vocabulary(self):
        self.assertEqual([number_words(value) for value in (7, 20, 42)], [["seven"], ["twenty"], ["forty", "two"]])
        self.assertTrue(all(word in WORDS for value in range(100) for word in number_words(value)))


if __name__ == "__main__":
    unittest.main()
