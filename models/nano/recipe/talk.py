"""What people say: random sentences, replies and stories of everyday talk, to the agent and to others."""

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
from line import phrases
from vocabulary import (
    ADJECTIVES,
    ANIMALS,
    COLOURS,
    COMMANDS,
    FUNCTION,
    NOUNS,
    NUMBERS,
    OTHER_FORMS,
    TALK,
    VERBS,
    number_words,
)

OTHER_FORM_SHARE = 0.4
"""Of words whose class has other forms, those that are said in one."""


class Talker:
    """Draws sentences. Every method returns marked tokens, for `line.parse`."""

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
