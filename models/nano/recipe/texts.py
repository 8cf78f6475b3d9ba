"""What people say: random sentences for every situation that Nano has to tell apart.

A sentence is written with light markup: `[ ... ]` encloses a self-correction, `|` stands where the speaker may stop to
think, `,` where a list or clause breaks. `parse` turns it into a `Line`.
"""

from dataclasses import dataclass, field

import numpy as np

from lexicon import (
    BLIND_REPLIES,
    BLIND_SMALL_TALK,
    CODAS,
    FILLERS,
    LANGUAGES,
    NAMES,
    ONSETS,
    PAST,
    PLACES,
    PLURAL_OF,
    PROPER,
    RARE,
    REPLIES,
    SMALL_TALK,
    SPOKEN_VERBS,
    VOWELS,
)
from vocabulary import (
    ADJECTIVES,
    ANIMALS,
    COLOURS,
    COMMANDS,
    FUNCTION,
    NOUNS,
    NUMBERS,
    OTHER_FORMS,
    SPANISH,
    TALK,
    VERBS,
    number_words,
)


@dataclass
class Line:
    """Words of one utterance. `corrections` are [first, past) word ranges, `breaks` word indexes after which one may pause."""

    words: list[str]
    corrections: list[tuple[int, int]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    commas: list[int] = field(default_factory=list)


def parse(marked: list[str]) -> Line:
    """@throws ValueError on brackets that do not match."""
    line, opened = Line([]), None
    for token in marked:
        if token == "[":
            opened = len(line.words)
        elif token == "]":
            if opened is None:
                raise ValueError(f"']' without '[' in {' '.join(marked)!r}")
            line.corrections.append((opened, len(line.words)))
            opened = None
        elif token == "|":
            line.breaks.append(len(line.words) - 1)
        elif token == ",":
            line.commas.append(len(line.words) - 1)
        else:
            line.words.append(token)
    if opened is not None:
        raise ValueError(f"'[' without ']' in {' '.join(marked)!r}")
    return line


OTHER_FORM_SHARE, ONE_MINUTE_SHARE = 0.4, 0.35
"""Of words whose class has other forms, and of reminders in minutes."""
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


def phrases(*options: str) -> list[str]:
    """Those that slashes separate."""
    return [phrase for some in options for phrase in some.split("/")]


def own_phrases() -> list[list[str]]:
    """Words of each instruction that is followed from then on, without an answer."""
    return [phrase.split() for phrase in phrases(*COUNT_ANIMALS, *TRANSLATE)]


class Writer:
    """Draws sentences. Every method returns marked tokens, for `parse`."""

    def __init__(self, random: np.random.Generator, varied: bool = False):
        """
        With `varied`, as in training, a class is said in all of its forms ("minute" for "minutes"), and more is asked for in one minute.
        Tests are drawn without, as they always were.
        """
        self._random, self._varied = random, varied

    def _one(self, options):
        return options[self._random.integers(len(options))]

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _say(self, *options: str) -> list[str]:
        """One of the phrases that slashes separate in `options`, as tokens."""
        return self._one(phrases(*options)).split()

    # Parts

    def unknown(self) -> str:
        """A word that the vocabulary mostly lacks, often one that does not exist."""
        if self._chance(0.7):
            return self._one(PROPER if self._chance(0.15) else RARE)
        syllables = range(self._random.integers(1, 4))
        return "".join(self._one(ONSETS) + self._one(VOWELS) + self._one(CODAS) for _ in syllables)

    def noun(self) -> str:
        return self.unknown() if self._chance(0.15) else self.form(self._one(NOUNS))

    def form(self, name: str) -> str:
        return self._one(OTHER_FORMS[name]) if self._varied and name in OTHER_FORMS and self._chance(OTHER_FORM_SHARE) else name

    def animal(self, plural: bool = False) -> str:
        name = self._one(ANIMALS)
        return PLURAL_OF.get(name, name) if plural else name

    def number(self, low: int = 1, high: int = 99) -> list[str]:
        return number_words(int(self._random.integers(low, high + 1)))

    def thing(self) -> list[str]:
        article = self._say("a/the/the/my/his/her/our/your/this/that/some/another")
        quality = [self._one(self._one([COLOURS, ADJECTIVES, ADJECTIVES]))] if self._chance(0.4) else []
        return article + quality + [self.animal() if self._chance(0.12) else self.noun()]

    def place(self) -> list[str]:
        return self._say("in the/near the/at the/behind the/from the/through the/to the") + [self._one(PLACES)]

    def person(self) -> list[str]:
        return self._say("i/i/we/you/he/she/they/my friend/my mother/my father/the teacher/people")

    def clause(self) -> list[str]:
        draw = self._random.integers(8)
        if draw == 0:
            return self.person() + [self._one(PAST)] + self.thing()
        if draw == 1:
            return self.person() + [self._one(PAST)] + self.thing() + self.place()
        if draw == 2:
            return (
                self.person()
                + self._say("will/can/could/should/might/must/would")
                + [self._one(SPOKEN_VERBS)]
                + self.thing()
            )
        if draw == 3:
            return self.thing() + self._say("is/was/is not/was very/is really/is too/was not") + [self._one(ADJECTIVES)]
        if draw == 4:
            return (
                self._say("there is/there was/here is/it's/that's/it was")
                + self.thing()
                + (self.place() if self._chance(0.5) else [])
            )
        if draw == 5:
            return (
                self._say("i want to/i like to/i need to/we have to/let's/i'm going to/do you want to")
                + [self._one(SPOKEN_VERBS)]
                + self.thing()
            )
        if draw == 6:
            return (
                self.person()
                + self._say("went/came/walked/ran/drive/go")
                + self.place()
                + self._say("today/yesterday/now/tomorrow/last week/every day/again")
            )
        return (
            self._say("i think/i know/you know/i hope/i believe/she said/he said/they say")
            + self.person()
            + [self._one(PAST)]
            + self.thing()
        )

    def any_clause(self) -> list[str]:
        """A clause, half of the time one with words that Nano cannot write."""
        if self._chance(0.5):
            return self.clause()
        object_ = self._say("the/a/my/your/this/some/our/") + [self.unknown()]
        return self._one(
            [
                self.person() + [self.unknown()] + object_,
                self.person() + self._say("will/can/could/should/have to/want to/used to") + [self.unknown()] + object_,
                object_ + self._say("is/was/will be/has been/looks") + [self.unknown()],
                self.person() + self._say("go/went/fly/flew/travel/moved/come") + ["to", self._one(PROPER)],
                self.person()
                + [self._one(PAST)]
                + object_
                + self._say("with/for/without/after/before")
                + self._say("the/a/my/")
                + [self.unknown()],
            ]
        )

    def fronted(self) -> list[str]:
        """What stands before the main clause and leaves it open: it sounds and reads unfinished."""
        time = self._say("/next week/tomorrow/in the morning/last year/at nine/this evening/on monday")
        return self._one(
            [
                self._say("when/if/after/before/since/because/as/while/once/until/whenever/although/unless/as soon as")
                + self.any_clause()
                + time,
                self._say("when/if/after/before/since/because/while") + self.any_clause() + time,
                self._say("for/with/in/at/from/without/instead of/apart from/as for")
                + self.thing()
                + self._say("/that is left/with six people/of my mother/in the street"),
                self._say("to/in order to")
                + [self._one(SPOKEN_VERBS) if self._chance(0.5) else self.unknown()]
                + self.thing(),
                self._say("looking at/thinking about/according to/as far as i know about/talking about/speaking of")
                + self.thing(),
            ]
        ) + [",", "|"]

    def question(self) -> list[str]:
        """Something that is asked, of any subject."""
        do = [self._one(SPOKEN_VERBS) if self._chance(0.5) else self.unknown()]
        helper = self._say("do/does/did/can/could/should/will/would")
        some = self._one([self.thing(), ["it"], ["that"], [self.unknown()], []])
        return self._one(
            [
                self._say("what/where/when/why/how/who/which one/how much/how many/how long/how often")
                + helper
                + self.person()
                + do
                + some,
                self._say("can/could/would/will/should/do/did") + self.person() + do + some,
                self._say("is it/is there/are there/was it/is that/are they") + self.thing(),
                self._say("is it better to/do i have to/do i need to/is it possible to/do you want to") + do + some,
                self._say("what/who/where/when/how/why") + self._say("is/are/was/were") + self.thing() + self.place(),
                self._say("could you check if/do you know if/can you tell me whether") + self.any_clause(),
                self._say("what kind of/how much/how many/which") + [self.unknown()] + helper + self.person() + do,
            ]
        )

    # Whole utterances

    def open_question(self) -> list[str]:
        """A question, often with something in front of it at which its speaker stops to think."""
        return self.hesitant([*(self.fronted() if self._chance(0.6) else []), *self.question()])

    def talk(self) -> list[str]:
        """Ordinary conversation, one to three clauses."""
        words = [self._one(TALK), *(["|"] if self._chance(0.3) else [])] if self._chance(0.2) else []
        words += self.fronted() if self._chance(0.35) else []
        words += self.any_clause()
        for _ in range(self._random.choice([0, 0, 1, 1, 2])):
            words += ["|", self._one(["and", "but", "because", "so", "then", "when", "if", "or"])] + self.any_clause()
        return self.hesitant(self.corrected(words) if self._chance(0.15) else words)

    def corrected(self, words: list[str]) -> list[str]:
        """`words` with their last part taken back and said anew."""
        repair = self._say("no/no sorry/sorry/i mean/no wait/actually no/well no/no i mean")
        return words + ["[", *repair, *self.thing(), "]"]

    def hesitant(self, words: list[str]) -> list[str]:
        """Sometimes a filler at a break, or a restart: the first words said twice."""
        out = []
        for token in words:
            out.append(token)
            if token == "|" and self._chance(0.3):
                out += [self._one(FILLERS), "|"]
        if self._chance(0.08) and len(out) > 3 and "[" not in out[:3] and "|" not in out[:3]:
            out = [*out[:2], "|", *out]
        return out

    def listing(self) -> list[str]:
        """A list, which sounds unfinished until its last item."""
        words = self._say("i need/we bought/i like/my list is/add/we have/bring")
        for _ in range(self._random.integers(2, 5)):
            words += [self.noun(), ",", "|"]
        return words + ["and", self.noun()]

    def counting_aloud(self) -> list[str]:
        first, count = int(self._random.integers(1, 20)), int(self._random.integers(3, 8))
        words = []
        for value in range(first, first + count):
            words += [*number_words(value), *([",", "|"] if value < first + count - 1 else [])]
        return words

    def salad(self) -> list[str]:
        """Words without grammar, so that words are heard and not guessed."""
        groups = [ANIMALS, NUMBERS, COLOURS, COMMANDS, COMMANDS, TALK, FUNCTION, VERBS, NOUNS, ADJECTIVES]
        return [
            self.unknown() if self._chance(0.12) else self.form(self._one(self._one(groups)))
            for _ in range(self._random.integers(2, 10))
        ]

    def story(self, animals: int) -> list[str]:
        """Names `animals` animals; an animal inside a correction replaces the one before it."""
        words = []
        for index in range(animals):
            first = "i saw/there was/we met/i found/we had"
            later = "and then i saw/and/with/then there was/and also/and after that/then i met/near"
            words += self._say(first if index == 0 else later)
            words += self._say("a/the/my/another/one")
            words += [self._one(COLOURS if self._chance(0.4) else ADJECTIVES)] if self._chance(0.35) else []
            plural = self._chance(0.15)
            words += [self.animal(plural)]
            if self._chance(0.13):
                words += ["[", *self._say("no/no sorry/i mean/no wait/sorry"), "a", self.animal(), "]"]
            if self._chance(0.45):
                words += self._one(
                    [
                        self.place(),
                        self.place(),
                        ["|", self._one(FILLERS)],
                        ["and", self._one(PAST), *self.thing_without_animal()],
                    ]
                )
            words += ["|"]
        while words[-1] == "|" or words[-1] in FILLERS:
            words.pop()
        return self.hesitant(words)

    def thing_without_animal(self) -> list[str]:
        return self._say("a/the/some/my") + [self.noun()]

    def request(self) -> list[str]:
        """Something that needs another model or a tool."""
        if self._chance(0.45):
            return self.open_question()
        please = ["please"] if self._chance(0.15) else []
        return please + self._one(
            [
                ["search", "for", *self.thing()],
                ["look", "up", *self.thing()],
                ["what", "is", "the", "weather", *self._say("today/tomorrow/now/")],
                ["tell", "me", "about", *self.thing()],
                ["tell", "me", "the", self._one(["news", "time", "weather"])],
                ["what", "time", "is", "it"],
                ["translate", *self.thing(), "to", self._one(LANGUAGES)],
                ["play", *self._say("music/a song/the news")],
                ["send", "a", "message", "to", *self._say("my mother/my friend/my father/the office")],
                ["open", *self.thing()],
                ["what", "is", *self.number(2, 60), self._one(["plus", "minus", "times"]), *self.number(2, 60)],
                ["find", *self.thing()],
                ["how", "do", "i", self._one(SPOKEN_VERBS), *self.thing()],
                ["why", "is", *self.thing(), self._one(ADJECTIVES)],
                ["where", "is", *self.thing()],
                ["who", "is", *self.thing()],
                ["can", "you", self._one(SPOKEN_VERBS), *self.thing()],
                ["write", "a", self._one(["letter", "note", "message", "story", "email"]), "about", *self.thing()],
                ["how", "much", "is", *self.thing()],
                ["call", *self._say("my mother/my friend/the doctor/the office")],
                ["add", *self.thing(), "to", "my", "list"],
            ]
        )

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

    def backchannel(self) -> list[str]:
        return self._say(
            "uh huh/yeah/okay/right/yeah yeah/yes/mhm/mhm/um huh/okay okay/uh huh uh huh/sure/i see/oh",
            "nice/yep/hmm/great/oh really/ah/exactly",
        )

    def answer(self) -> list[str]:
        return self._say(
            "yes/no/yes please/no thanks/okay/sure/maybe/yeah/thank you/thanks/hello/hi/good morning",
            "that's right/i don't know/of course/goodbye",
        )

    def reply(self) -> list[str]:
        """A short answer to what the agent said; in tests in words of somebody who had not seen those of training."""
        if not self._varied:
            return self._one(BLIND_REPLIES).split()
        whole = self._one(
            [
                lambda: self.number() + self._say("/////of them/years/days/percent/minutes/people"),
                lambda: self._one([[self._one(COLOURS)], ["the", self._one([*COLOURS, *ADJECTIVES]), "one"]]),
                self.moment,
                self.place,
                self.thing,
                lambda: self._say("with/for/from/like/about/near/not/only/just/maybe") + self.thing(),
                lambda: [self._one([*NAMES, self.unknown()])],
                lambda: [*self._say("/a/the/one/two/my"), self.animal()],
                lambda: [self._one(self._one([NOUNS, ADJECTIVES, VERBS]))],
                self.answer,
                lambda: self._say(*REPLIES),
                lambda: self._say(*REPLIES),
            ]
        )()
        return self._say("///////um/uh/oh/well/no/yes/maybe/i think") + whole + self._say("/////////please/thanks")

    def moment(self) -> list[str]:
        """When something is, was, or is to be."""
        time = self._one([["at", *self.number(1, 12), *self._say("/o'clock")], ["in", *self.number(2, 60), "minutes"], None, None, None])
        return time or self._say(
            "now/today/tomorrow/tonight/yesterday/later/soon/tomorrow morning/in the morning/this evening/this afternoon/next week/last week",
            "on monday/on friday/monday/tuesday/wednesday/thursday/friday/saturday/sunday/next year/at night/every day/after lunch/in summer",
        )

    def small_talk(self) -> list[str]:
        """Something short that wants an answer of somebody who knows one; in tests in words of somebody else, too."""
        if not self._varied:
            return self._one(BLIND_SMALL_TALK).split()
        return self._say(*SMALL_TALK) + self._say("/////////today/please/then")

    def fragments(self) -> list[str]:
        """Replies one after the other, at the end of each of which one may stop to think."""
        words = self.reply()
        for _ in range(self._random.integers(1, 4)):
            words += ["|", *self._say("////and/or/no"), *self.reply()]
        return words

    def aside(self) -> list[str]:
        """Said to somebody else in the room."""
        name = self._one([*NAMES, "mom", "dad", "honey", "darling"])
        return (
            self._one([["hey", name], [name], ["yes", name], ["excuse", "me", name], ["one", "moment", name]])
            + [","]
            + self._one([self.clause, self.request, self.answer])()
        )

    def utterance(self) -> list[str]:
        """Any ordinary turn that is no skill."""
        return self.answer() if self._chance(0.08) else self.statement()

    def statement(self) -> list[str]:
        """More than an answer, so that nobody takes it for a backchannel: conversation, stories, lists, salad."""
        draw = self._random.random()
        if draw < 0.50:
            return self.talk()
        if draw < 0.63:
            return self.story(int(self._random.integers(1, 4)))
        if draw < 0.74:
            return self.listing()
        if draw < 0.78:
            return self.counting_aloud()
        return self.salad()
