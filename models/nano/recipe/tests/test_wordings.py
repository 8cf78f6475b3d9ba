import re
import unittest

from config import REPOSITORY
from typist import AFTER, BEFORE, FILES, HEARD, WORDED
from vocabulary import TYPED, WORDINGS, WORDS, number_words

NUMBERS = "|".join(sorted((" ".join(number_words(value)) for value in range(100)), key=len, reverse=True))
TIMES, COUNTS = re.compile(rf"\b(?:{NUMBERS}) (?:seconds?|minutes?)\b"), re.compile(rf"\b(?:{NUMBERS})\b")
EVALUATED = ("typed-messages.ts", "typed-blind.ts")


AROUND = re.compile(rf"^(?:{BEFORE.replace('/', '|')}) | (?:{AFTER.replace('/', '|')})$")


def bare(text: str) -> str:
    """Without what the typist puts before or after it."""
    return AROUND.sub("", text)


def evaluated():
    """What the evaluation types, as the files have it: in words and lower case, and once more with @ for a time, and for a number."""
    for name in EVALUATED:
        source = (REPOSITORY / "test/eval" / name).read_text()
        for single, double in re.findall(r"'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"", source):
            words = re.findall(r"[a-z]+(?:'[a-z]+)*|\d+", (single or double).lower().replace("\\'", "'"))
            text = " ".join(" ".join(number_words(int(word))) if word.isdigit() and int(word) < 100 else word for word in words)
            yield from (text, TIMES.sub("@", text), COUNTS.sub("@", text))


class Wordings(unittest.TestCase):
    def test_are_one_thing_each_and_no_two_files_have_the_same(self):
        lines = [line for name in FILES for line in WORDED[name]]
        self.assertEqual(len(set(lines)), len(lines))
        for line in lines:
            self.assertRegex(line, r"^[a-z'@]+( [a-z'@]+)*$")

    def test_have_a_place_for_what_they_are_about(self):
        for name in FILES:
            places = int(name in ("once", "every", "next"))
            for line in WORDED[name]:
                self.assertEqual(line.split().count("@"), places, (name, line))

    def test_none_is_what_the_evaluation_types(self):
        typed = set(evaluated())
        self.assertGreater(len(typed), 500)
        typed |= {bare(text) for text in typed}
        self.assertEqual([(name, line) for name in FILES for line in WORDED[name] if line in typed or bare(line) in typed], [])

    def test_none_is_a_reply_that_the_tests_say(self):
        replies = set((WORDINGS.parent / "blind_replies.txt").read_text().splitlines())
        self.assertGreater(len(replies), 100)
        self.assertEqual([(name, line) for name in FILES for line in WORDED[name] if line in replies], [])

    def test_some_of_each_are_in_words_that_are_known_when_they_are_heard(self):
        for name in FILES:
            self.assertGreater(len(HEARD[name]), 8, name)

    def test_the_words_that_are_read_are_those_that_are_heard_and_others(self):
        self.assertEqual(TYPED[: len(WORDS)], WORDS)
        self.assertEqual(len(set(TYPED)), len(TYPED))
        used = {word for name in FILES for line in WORDED[name] for word in line.split()}
        self.assertEqual([word for word in TYPED[len(WORDS) :] if word not in used], [])
        self.assertEqual({path.stem for path in WORDINGS.glob("*.txt")}, {*FILES, "vocabulary"})


if __name__ == "__main__":
    unittest.main()
