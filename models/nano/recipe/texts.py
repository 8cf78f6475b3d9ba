"""What people say to have something done: instructions in many wordings, on top of everyday talk."""

from lexicon import LANGUAGES
from line import phrases
from talk import Talker
from vocabulary import SPANISH, UNKNOWN, number_words

ONE_MINUTE_SHARE = 0.35
"""Of reminders in minutes."""
COUNT_ANIMALS = (
    "count the animals/please count the animals/can you count the animals/count animals for me",
    "count all the animals/count every animal/i want you to count the animals",
    "count my animals please/start to count the animals",
)
TRANSLATE = (
    "translate to spanish/translate into spanish/translate what i say/please translate what i say to spanish",
    "translate my words into spanish/can you translate into spanish/show me this in spanish/translate for me please",
    "say what i say in spanish/now translate to spanish",
)

NUMBERED = "room/page/bus/flight/floor/gate/seat/table/level/channel/platform/version/chapter/line/house/day/track/size/code/order/ticket/row/number/age"
UNITS = "people/times/books/days/hours/euros/miles/points/kilos/pages"
MONTHS = "january/february/march/april/may/june/july/august/september/october/november/december"
LABELS = [
    ("?", "@"),
    ("?", "?", "@"),
    ("@", "?"),
    ("?", "@", "?"),
    ("?", "?"),
    ("?", "?", "//?"),
    ("?",),
    ("@",),
    ("@", "@", "//@"),
    ("//the/a/my/for/see/about/in", "?", "@"),
    ("//the/my/it is/see/about/in/on/from", NUMBERED, "@", "//?"),
    (NUMBERED, "?", "@", "//?"),
    (NUMBERED, "@", NUMBERED, "@"),
    ("he is/she is/my son is/i was/they were/we are/it costs/it weighs/i have/only", "@", "//years old/now/people/times/?"),
    ("at/around/until/since", "@", "//in the morning/today/tomorrow/?"),
    ("won/lost/we won/they lost/it was/?", "@", "to", "@"),
    ("@", MONTHS),
    (MONTHS, "@"),
    ("@", UNITS),
]
"""Names, places, ages, codes, scores, dates: "?" is a word that nobody knows, "@" a number."""


def own_phrases() -> list[list[str]]:
    """Words of each instruction that is followed from then on, without an answer."""
    return [phrase.split() for phrase in phrases(*COUNT_ANIMALS, *TRANSLATE)]


class Writer(Talker):
    """Draws what is said to the agent to be followed as well, and what only sounds like it."""

    def count_animals(self) -> list[str]:
        return self._say(*COUNT_ANIMALS)

    def remind_in(self, seconds: int) -> list[str]:
        lead = self._say("//please/okay/can you")
        if seconds == 60:
            time = self._say("one minute/a minute")
        else:
            time = [*number_words(seconds // 60), "minutes"] if seconds % 60 == 0 else [*number_words(seconds), "seconds"]
        return lead + ["remind", "me", "in", *time] + (["please"] if self._chance(0.1) else [])

    def minutes(self) -> int:
        """In how many somebody may want to be reminded: mostly few, or a round number."""
        if self._varied and self._chance(ONE_MINUTE_SHARE):
            return 1
        return int(self._one([self._random.integers(1, 11), 5 * self._random.integers(1, 13), self._random.integers(1, 60)]))

    def remind_every(self, seconds: int) -> list[str]:
        return (
            self._say("remind me every/tell me every/please remind me every")
            + [*number_words(seconds), "seconds"]
            + self._say("//until i say stop")
        )

    def next_number(self, value: int) -> list[str]:
        """Asks for the number after `value`."""
        return self._say("what comes after/what number comes after/next number after/what is the next number after") + (
            number_words(value)
        )

    def sum(self, first: int, second: int, claimed: int) -> list[str]:
        """Claims that two numbers add up to a third, with something before and after."""
        said = [*number_words(first), "plus", *number_words(second), *self._say("is/equals/makes"), *number_words(claimed)]
        tail = ["|", "and", *self.any_clause()] if self._chance(0.6) else []
        return self._say("//so/i think/i know that/well") + said + tail

    def claim(self) -> list[str]:
        """A sum, right or wrong."""
        first, second, claimed = (int(number) for number in self._random.integers((1, 1, 2), (10, 10, 20)))
        return self.sum(first, second, claimed)

    def stopwatch(self) -> tuple[list[str], list[str], list[str]]:
        """What is said to begin, to end, and to ask for the time between."""
        return (
            self._say("i start now/start the timer/ready go/i begin now/let's begin/okay start"),
            self._say("i'm done/done/finished/i finished/okay i'm done/that's it"),
            self._say("how long did that take/how long was that/how long did it take/how many seconds was that"),
        )

    def stop(self) -> list[str]:
        return self._say(
            "stop/stop/wait/stop stop/wait wait/no stop/okay stop/quiet please/wait a second",
            "stop please/hold on/be quiet/pause/stop talking/please stop",
        )

    def cancel(self) -> list[str]:
        return self._say(
            "never mind/cancel/cancel that/never mind that/forget it/cancel it please/oh never mind", "no never mind"
        )

    def translate(self) -> list[str]:
        """Wants what is said from now on in Spanish."""
        return self._say(*TRANSLATE)

    def translatable(self) -> list[str]:
        """A turn with words whose translation is known."""
        draw = self._random.random()
        if draw < 0.35:
            return self.story(int(self._random.integers(1, 4)))
        if draw < 0.55:
            return self.counting_aloud()
        if draw < 0.85:
            known = list(SPANISH)
            return [token for _ in range(self._random.integers(1, 7)) for token in (*self._say("the/a/my//and"), self._one(known))]
        return self.statement()

    def manner(self, act: str) -> list[str]:
        """Wants the agent to speak in another way, or again."""
        return self._say(
            *{
                "repeat": (
                    "repeat that/please repeat that/can you repeat that/say that again/repeat please/once again/again please",
                    "could you say that again/what did you say/say it again/sorry can you repeat that/repeat/pardon",
                ),
                "louder": (
                    "louder/louder please/speak louder/please speak louder/a little louder/can you speak up/speak up please",
                    "i can't hear you/more loud please/a bit louder please/you are too quiet",
                ),
                "quieter": (
                    "quieter/quieter please/not so loud/speak quieter please/a little quieter/please speak quieter",
                    "you are too loud/a bit quieter please/can you be a little quieter",
                ),
                "slower": (
                    "slower/slower please/speak slower/please speak slower/not so fast/a little slower/slow down/slow down please",
                    "you are too fast/can you speak slower/a bit slower please",
                ),
                "faster": (
                    "faster/faster please/speak faster/please speak faster/a little faster/speed up/a bit faster please",
                    "you are too slow/can you speak faster/not so slow",
                ),
            }[act]
        )

    def label(self) -> list[str]:
        """What has a number, or words that nobody knows, and asks for nothing."""
        words = [word for part in self._one(LABELS) for word in self._say(part)]
        return [token for word in words for token in ({"?": [UNKNOWN], "@": self.number(0)}.get(word, [word]))]

    def sighting(self) -> list[str]:
        """An animal is named."""
        return self._say("i saw/there was/and/then/and then/with") + self._say("a/the/one/another/my") + [self.animal()]

    def about_instructions(self) -> list[str]:
        """A question or a statement with the words of an instruction, which is none."""
        instruction = self._one([self.stop, self.cancel, self.count_animals, self.translate, self.resume, lambda: self.manner("louder")])()
        return self._one(
            [
                self._say("how do i/why did you/when will he/what happens if i/should i/did she") + instruction + (self.thing() if self._chance(0.3) else []),
                self._say("what does/what is") + instruction + self._say("mean/in french/about/good for"),
                self.person() + self._say("said/wanted to/will/did not/had to") + instruction,
                ["count", *self._say("to ten/the money/the stars/my words/how many people live here")],
                self._say("translate/how do you say") + self.thing() + self._say("to/into/in") + [self._one(LANGUAGES)],
                self._say("how many animals/which animals/what animals/where do animals") + self._say("are there/live in the park/do you know/sleep"),
                ["stop", *self._say("the music/the timer/at the station/calling me")],
                self._say("what is a/do you have a/how long is a/who set the") + self._say("reminder/timer/minute"),
                self._say("why did you remind me/when will you remind me/did you remind me/what did you remind me of/who reminds you"),
                self._say("i waited/it took/he needs/we had/is it really") + self.number(2, 60) + self._say("seconds/minutes"),
            ]
        )

    def resume(self) -> list[str]:
        return self._say(
            "continue/please continue/go on/go on please/okay go on/okay continue/carry on/keep going/resume",
            "you can continue/now continue/yes go on/sorry go on/please go on/you may go on",
        )
