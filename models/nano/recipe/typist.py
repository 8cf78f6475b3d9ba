"""In which other words people type what `texts.Writer` says: no sound is needed to learn them, so that they may be many.

The evaluation (test/eval/typed-messages.ts) has wordings of its own, of which none may stand here.
"""

import numpy as np

from texts import Writer, phrases
from vocabulary import number_words

OTHER_SHARE = 0.6
"""Of messages, those in the words below."""

COUNT_ANIMALS = phrases(
    "how many animals do i see count them/count them all every animal i say/for every animal i say tell me the number",
    "i will say animals and you count them/say the number after every animal/count animals while i talk/let's count animals",
    "i tell you a story count the animals in it/could you count the animals i see/count the animals in my story",
    "start with one and count every animal/when i say an animal say its number/please count each animal i tell you about",
    "you count i say the animals/say how many animals there are after every one/count animals from now on/animals count them please",
    "i want to know how many animals i see/please count the animals that i see/count with me every animal is one more",
)
TRANSLATE = phrases(
    "say it in spanish/write what i say in spanish/show my words in spanish/please write my words in spanish/in spanish please",
    "translate me/can you show me what i say in spanish/i want it in spanish/write it in spanish while i talk/spanish please",
    "translate all that i say/i speak english you write spanish/now in spanish/please translate this/can you translate for me",
    "show me the spanish words/translate every word/translate while i speak/i need this in spanish/make it spanish",
)
RESUME = phrases(
    "go on with it/and what then/then what/you can go on now/start again where you were/please finish/i am listening/do go on/more please",
    "keep talking/please keep going/go on with your story/okay now go on/yes and/and now go on/you may continue now/please go on with that",
    "back to what you said/go on from there/continue with it/i want to hear the end/what else/and after that/talk on/you can keep going",
)
CANCEL = phrases(
    "i don't need that/don't do that/forget about it/forget that/please forget it/remove it/delete that/take it back/i don't want that now",
    "no don't/delete the reminder/remove the reminder/forget the reminder/cancel my reminder/cancel everything/cancel the timer/no not that",
    "turn the timer off/set it off/i do not want it/please cancel/okay cancel/no cancel that/i don't want to be told/don't tell me then",
    "cancel what i said/remove the timer/the reminder is not needed/i don't need the reminder now/let it be/oh forget it/actually never mind",
    "sorry cancel that/not now never mind/never mind the reminder/forget what i said/delete it please/no more of that never mind",
)
STOP = phrases(
    "stop that/stop it/okay that's it/that is all/no more please/please be quiet/silence/silence please/stop now/don't talk/stop telling me",
    "don't say any more/i want you to stop/you may stop/now stop/i said stop/stop this/end it/no more of this/just stop/stop right there",
    "wait please/just a second/one moment/stop for now/that is it stop/please wait/oh stop/not now/don't go on/say no more/you can be quiet now",
)
MANNERS = {
    "repeat": phrases(
        "what/sorry what/again/again please/i did not hear that/say it again/tell me again what you said/please say it again/say again",
        "sorry i did not understand/what was the last word/excuse me/can i hear that again/your last words again please/what did you just say",
        "i did not hear you say it again/you said what/again what was it/read it again/could you repeat it/please repeat/one more time what was it",
        "i did not understand you/sorry say that again please/what did you say then/tell it again/and again please",
    ),
    "louder": phrases(
        "i don't hear you/speak up/talk louder/it is too quiet/turn it up/turn up/turn your voice up/could you talk louder/you are very quiet",
        "much louder/say it louder/i hear almost nothing/can you be louder/more loud/speak up i can't hear/it should be louder/louder for me",
        "you speak too low/please talk louder/louder now/your voice is too low/i want you louder/you should speak louder/too quiet",
    ),
    "quieter": phrases(
        "turn it down/talk quieter/it is too loud/not that loud/less loud/much quieter please/say it quieter/turn your voice down/turn down",
        "you are very loud/talk low/speak low please/quieter now/you speak too loud/too loud/it should be quieter/can you be quieter",
        "please talk quieter/a lot quieter/i want you quieter/your voice is too loud/you should speak quieter/more quiet please",
    ),
    "slower": phrases(
        "talk slower/speak slow/you speak too fast/slow please/a little slower/not that fast/take your time/i can't follow you/say it slower",
        "much slower please/could you slow down/wait not so fast/slower now/too fast/it is too fast for me/you are very fast/speak slow please",
        "please talk slower/i want it slower/more time between words please/you should speak slower/a lot slower/more slow please",
    ),
    "faster": phrases(
        "talk faster/come on faster/this is too slow/you speak too slow/can you go a little faster/speed it up/not that slow/say it faster",
        "much faster please/faster now/too slow/it is too slow for me/you are very slow/please talk faster/i want it faster/speak fast please",
        "you should speak faster/a lot faster/could you speak faster/more fast please/i have no time speak faster/come on this is slow",
    ),
}
REMIND_IN = phrases(
    "in @ remind me please/after @ remind me/set a timer to @/set timer @/timer for @/@ timer/remind me @ from now/tell me in @/in @ tell me",
    "tell me when @ are over/can you tell me after @/wait @ and then remind me/start a timer for @/a reminder in @ please/call me in @",
    "i want to know when @ are over/remind me about it in @/in @ i need a reminder/please tell me when it was @/remind me after @",
    "could you remind me in @/i need to be told in @/remind me again in @/set me a reminder in @/reminder in @/in @ please remind me of it",
)
REMIND_EVERY = phrases(
    "every @ remind me please/tell me again every @/remind me each @/please tell me every @ until i stop you/say something every @",
    "start to remind me every @/can you remind me every @/every @ say something/i need to be told every @/let me know every @/call me every @",
    "remind me again every @/set a timer every @/could you tell me every @/reminder every @/i want to hear from you every @/every @ a reminder",
)
NEXT_NUMBER = phrases(
    "what number is after @/say the number after @/after @ what is next/and after @/count one up from @/one number after @/what is after @",
    "give me the next number after @/the next one after @ please/@ and what is next/i am at @ what is the next number/which number is next after @",
    "@ what comes then/the number after @ please/i said @ what number comes next/what do i say after @/can you tell me what comes after @",
)
BEGIN = phrases(
    "i start/start now/okay go/go now/now i begin/begin now/start the clock/three two one go/i am going to start now/timer on/here we go",
    "okay i start/i go now/let's go/set the clock/please start the timer/i will begin now/and go/start to take the time/now i start",
)
END = phrases(
    "i am done/it is done/all done/finished now/i have finished/the end/that's all/now i am done/over/done now/it is over/okay finished",
    "and done/that was all/so i am done/yes done/i have it/now it is finished/i am finished/okay that was it",
)
HOW_LONG = phrases(
    "how long was it/how long did i take/how much time was that/how many seconds did it take/how many seconds/tell me how long it took",
    "tell me how long that was/say how many seconds it was/and how long did it take/what time did i have",
    "how long have i been/how many seconds did i take/so how long was that/how long please/can you tell me how long it was",
)
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
    """Draws sentences as a `Writer` of training does, and many instructions in other words."""

    def __init__(self, random: np.random.Generator):
        super().__init__(random, varied=True)

    def _other(self) -> bool:
        return self._chance(OTHER_SHARE)

    def _filled(self, forms: list[str], words: list[str]) -> list[str]:
        """One of `forms`, with `words` in place of its @."""
        return self._one(forms).replace("@", " ".join(words)).split()

    def count_animals(self) -> list[str]:
        return self._one(COUNT_ANIMALS).split() if self._other() else super().count_animals()

    def translate(self) -> list[str]:
        return self._one(TRANSLATE).split() if self._other() else super().translate()

    def resume(self) -> list[str]:
        return self._one(RESUME).split() if self._other() else super().resume()

    def stop(self) -> list[str]:
        return self._one(STOP).split() if self._other() else super().stop()

    def cancel(self) -> list[str]:
        return self._one(CANCEL).split() if self._other() else super().cancel()

    def manner(self, act: str) -> list[str]:
        return self._one(MANNERS[act]).split() if self._other() else super().manner(act)

    def remind_in(self, seconds: int) -> list[str]:
        if not self._other():
            return self._for_something(super().remind_in(seconds))
        if seconds == 60:
            time = self._say("one minute/a minute")
        else:
            time = [*number_words(seconds // 60), "minutes"] if seconds % 60 == 0 else [*number_words(seconds), "seconds"]
        return self._for_something(self._filled(REMIND_IN, time))

    def _for_something(self, words: list[str]) -> list[str]:
        """Sometimes what one wants to be reminded of: at most five words, so that a note has the time as well."""
        if words[-1] not in ("seconds", "minutes", "minute") or not self._chance(0.2):
            return words
        return words + self._one([["to", self._one(ERRANDS)], ["of"], ["about"]]) + self.thing()

    def remind_every(self, seconds: int) -> list[str]:
        return self._filled(REMIND_EVERY, [*number_words(seconds), "seconds"]) if self._other() else super().remind_every(seconds)

    def next_number(self, value: int) -> list[str]:
        return self._filled(NEXT_NUMBER, number_words(value)) if self._other() else super().next_number(value)

    def stopwatch(self) -> tuple[list[str], list[str], list[str]]:
        own = super().stopwatch()
        begin, end, question = (self._one(forms).split() if self._other() else words for forms, words in zip((BEGIN, END, HOW_LONG), own))
        return begin, end, question

    def sum(self, first: int, second: int, claimed: int) -> list[str]:
        if not self._other():
            return super().sum(first, second, claimed)
        said = [*number_words(first), self._one(SUM_WORDS), *number_words(second), *self._say("is/equals/makes/that is"), *number_words(claimed)]
        return self._say("//if i have/i say/we have/and/but/i know/okay/now") + said

    def about_instructions(self) -> list[str]:
        if not self._other():
            return super().about_instructions()
        manner = str(self._one(["repeat", "louder", "faster"]))
        instruction = self._one([self.stop, self.cancel, self.resume, lambda: self.manner(manner)])()
        words = self._one(ABOUT)
        if words == ABOUT_INSTRUCTION:
            return self._say(words[0]) + instruction
        return [token for part in words for token in (self._part(part[1:]) if part.startswith("@") else self._say(part))]

    def _part(self, name: str) -> list[str]:
        return {"thing": self.thing, "person": self.person, "number": lambda: self.number(2, 60)}[name]()
