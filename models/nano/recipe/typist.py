"""In which other words people type what `texts.Writer` says: no sound is needed to learn them, so that they may be many.

They stand in `wordings/`, one in a line, @ for a time or a number. The evaluation (test/eval/typed-messages.ts) has wordings of its own, of
which none may stand there.
"""

import numpy as np

from texts import Writer
from vocabulary import UNKNOWN, WORDINGS, number_words, word_class

OTHER_SHARE = 0.75
"""Of messages, those in the words of the files."""
MANNER_NAMES = ("repeat", "louder", "quieter", "slower", "faster")
FILES = (
    *("count", "translate", "continue", "cancel", "stop", "once", "every", "next", "begin", "end", "how_long"),
    *MANNER_NAMES,
    *("questions", "nearmiss", "talk"),
)
WORDED = {name: (WORDINGS / f"{name}.txt").read_text().splitlines() for name in FILES}
HEARD = {
    name: [line for line in lines if all(word == "@" or word_class(word) != word_class(UNKNOWN) for word in line.split())]
    for name, lines in WORDED.items()
}
"""Those in words that Nano knows when it hears them."""
BEFORE, AFTER = "hey/okay/ok/hi/so/um/oh/please/well/and/now/yes/no/alright/listen/sorry", "please/now/okay/thanks/then/for me/ok/thank you"
AROUND_SHARE, STRANGE_SHARE, STRANGE_WORDS = 0.2, 0.03, 4
"""Of messages, those with one more word before or after them; and of the words of those that have so many, those that are read as others that nobody knows."""
ABOUT_INSTRUCTION = ("my friend said/he asked me to/i can't/do you know how to/who can/i will never/she told me to/why should i/the word for",)
ABOUT = [
    ABOUT_INSTRUCTION,
    ABOUT_INSTRUCTION,
    ("@thing", "will/did/can/should", "stop/continue/count/start/wait/repeat/finish", "/here/now/in the morning/today/every day"),
    ("@thing", "is/was/should be/is not", "louder/faster/slower/quieter/finished/over/done", "/than before/than mine/today"),
    ("tell me about/where is/what is/i bought/i lost/is there", "the reminder/a timer/a clock/the alarm/the last number/the next bus/spanish food"),
    ("we had to wait/i waited/he needs/she was gone/it was only/the train comes in", "@number", "seconds/minutes", "/for it/again/yesterday"),
    ("how many/which/what", "animals/seconds/numbers/spanish words", "are there/do people know/live in the sea/does he have/can you say"),
    ("@person", "can count/counted animals/stopped/finished/started/will continue/never stop/began", "/yesterday/with me/at school/the game"),
    ("is it/was it/it is/that was", "too fast/too loud/too slow/very quiet", "in the city/at night/for my mother/on the street"),
]
"""What has words of an instruction and is none; "@" stands before the name of a part of a sentence."""
ERRANDS = "call buy check write close open bring".split()
SUM_WORDS = ("plus", "plus", "and", "with")


class Typist(Writer):
    """Draws sentences as a `Writer` of training does, and most in other words."""

    def __init__(self, random: np.random.Generator, is_heard: bool = False):
        """@param is_heard for words that are put in as if they were heard"""
        super().__init__(random, varied=True)
        self._worded_as = HEARD if is_heard else WORDED

    def _other(self) -> bool:
        return self._chance(OTHER_SHARE)

    def _worded(self, name: str, words: list[str] | None = None) -> list[str]:
        """One of the wordings of a file, with `words` in place of its @."""
        parts = self._one(self._worded_as[name]).split()
        if len(parts) >= STRANGE_WORDS:
            parts = [word if word == "@" or not self._chance(STRANGE_SHARE) else UNKNOWN for word in parts]
        if self._chance(AROUND_SHARE):
            parts = self._say(BEFORE) + parts if self._chance(0.5) else parts + self._say(AFTER)
        return [word for part in parts for word in (words or [] if part == "@" else [part])]

    def count_animals(self) -> list[str]:
        return self._worded("count") if self._other() else super().count_animals()

    def translate(self) -> list[str]:
        return self._worded("translate") if self._other() else super().translate()

    def resume(self) -> list[str]:
        return self._worded("continue") if self._other() else super().resume()

    def stop(self) -> list[str]:
        return self._worded("stop") if self._other() else super().stop()

    def cancel(self) -> list[str]:
        return self._worded("cancel") if self._other() else super().cancel()

    def manner(self, act: str) -> list[str]:
        return self._worded(act) if self._other() else super().manner(act)

    def remind_in(self, seconds: int) -> list[str]:
        if not self._other():
            return self._for_something(super().remind_in(seconds))
        if seconds == 60:
            time = self._say("one minute/a minute")
        else:
            time = [*number_words(seconds // 60), "minutes"] if seconds % 60 == 0 else [*number_words(seconds), "seconds"]
        return self._for_something(self._worded("once", time))

    def _for_something(self, words: list[str]) -> list[str]:
        """Sometimes what one wants to be reminded of: at most five words, so that a note has the time as well."""
        if words[-1] not in ("seconds", "minutes", "minute") or not self._chance(0.2):
            return words
        return words + self._one([["to", self._one(ERRANDS)], ["of"], ["about"]]) + self.thing()

    def remind_every(self, seconds: int) -> list[str]:
        return self._worded("every", [*number_words(seconds), "seconds"]) if self._other() else super().remind_every(seconds)

    def next_number(self, value: int) -> list[str]:
        return self._worded("next", number_words(value)) if self._other() else super().next_number(value)

    def stopwatch(self) -> tuple[list[str], list[str], list[str]]:
        begin, end, question = (
            self._worded(name) if self._other() else words for name, words in zip(("begin", "end", "how_long"), super().stopwatch())
        )
        return begin, end, question

    def open_question(self) -> list[str]:
        return self._worded("questions") if self._other() else super().open_question()

    def utterance(self) -> list[str]:
        return self._worded("talk") if self._other() else super().utterance()

    def sum(self, first: int, second: int, claimed: int) -> list[str]:
        if not self._other():
            return super().sum(first, second, claimed)
        said = [*number_words(first), self._one(SUM_WORDS), *number_words(second), *self._say("is/equals/makes/that is"), *number_words(claimed)]
        return self._say("//if i have/i say/we have/and/but/i know/okay/now") + said

    def about_instructions(self) -> list[str]:
        if self._other():
            return self._worded("nearmiss")
        if self._chance(0.5):
            return super().about_instructions()
        manner = str(self._one(["repeat", "louder", "faster"]))
        instruction = self._one([self.stop, self.cancel, self.resume, lambda: self.manner(manner)])()
        words = self._one(ABOUT)
        if words == ABOUT_INSTRUCTION:
            return self._say(words[0]) + instruction
        return [token for part in words for token in (self._part(part[1:]) if part.startswith("@") else self._say(part))]

    def _part(self, name: str) -> list[str]:
        return {"thing": self.thing, "person": self.person, "number": lambda: self.number(2, 60)}[name]()
