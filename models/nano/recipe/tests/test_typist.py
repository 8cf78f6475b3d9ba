import unittest
from unittest.mock import patch

import numpy as np

import typist
from line import parse
from messages import to_time
from texts import Writer
from typist import Typist
from vocabulary import NUMBERS, TYPED, number_words, typed_class

INSTRUCTIONS = {
    "count_animals": (),
    "translate": (),
    "resume": (),
    "stop": (),
    "cancel": (),
    "remind_in": (42,),
    "remind_every": (7,),
    "next_number": (13,),
    **{f"manner {act}": (act,) for act in typist.MANNER_NAMES},
}


def drawn(writer, name, count=400):
    return {" ".join(parse(getattr(writer, name.split()[0])(*INSTRUCTIONS[name])).words) for _ in range(count)}


class OtherWords(unittest.TestCase):
    def test_are_more_than_those_that_are_spoken_and_have_those_too(self):
        for name in INSTRUCTIONS:
            spoken, typed = drawn(Writer(np.random.default_rng(1)), name), drawn(Typist(np.random.default_rng(1)), name)
            self.assertGreater(len(typed), 1.5 * len(spoken), name)
            self.assertGreater(len(typed & spoken), 0.7 * len(spoken), name)

    def test_keep_their_times_in_a_note(self):
        for name in ("remind_in", "remind_every"):
            number = " ".join(number_words(INSTRUCTIONS[name][0]))
            for text in drawn(Typist(np.random.default_rng(2)), name):
                note = to_time(tuple(typed_class(word) for word in text.split()))
                self.assertIn(f"{number} seconds", " ".join(TYPED[word] for word in note), text)

    @patch("typist.STRANGE_SHARE", 0)
    def test_of_no_two_instructions_are_the_same(self):
        names = [name for name in INSTRUCTIONS if name.split()[0] not in ("remind_in", "remind_every", "next_number")]
        texts = {name: drawn(Typist(np.random.default_rng(3)), name, 2_000) for name in names}
        for name in names:
            for other in names:
                self.assertFalse(texts[name] & texts[other] if name != other else None, (name, other))

    def test_claim_a_sum_after_its_verb(self):
        writer = Typist(np.random.default_rng(4))
        for _ in range(200):
            words = parse(writer.sum(2, 5, 9)).words
            verb = next(index for index, word in enumerate(words) if word in ("is", "equals", "makes"))
            self.assertEqual([word for word in words[: verb + 2] if word in NUMBERS], ["two", "five", "nine"])
            self.assertEqual(words[verb + 1], "nine")


if __name__ == "__main__":
    unittest.main()
