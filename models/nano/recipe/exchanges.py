"""What happens within a session, one thing after the other: exchanges, errands, counts, reminders, sums."""

import numpy as np

from acoustics import Crowd
from labels import TURN_SECONDS, turn_of
from line import parse
from stage import Stage, heard_at
from synthesis import Span
from timeline import Due, Event
from vocabulary import DRAFT, DROPPED, RESULT, number_words
from voices import LONG, Studio, theme_of

OFFER_SECONDS = 2.0
"""The runtime says again so often that something waits to be said."""
RECALLED_SHARE = 0.25
"""Of reminders in seconds, in training, those that are called off."""
RECALLING_SECONDS, EXCHANGE_SECONDS = 3.0, 5.0
"""How long before it is due a reminder is called off at the latest, and what an exchange before that takes."""
LONGEST_TOLD = 69
"""Seconds: the agent has no word for seventy."""


class Exchanges(Stage):
    """What a session is made of: a turn or a request, and what follows it."""

    def __init__(self, split: str, seconds: float, random: np.random.Generator, studio: Studio, crowd: Crowd):
        super().__init__(split, seconds, random, studio, crowd)
        self._theme = theme_of(split)

    def _begin_counting(self) -> None:
        """Each time from one, whatever was counted before a stop."""
        if self._instruct(self._writer.count_animals()):
            self._counting, self._count = True, 0

    def _timing(self) -> None:
        """The user begins something, ends it, and asks how long it took; other talk may be between."""
        begin, end, question = self._writer.stopwatch()
        first = self._turn(begin, pauses=False)
        if not first:
            return
        self._yield(self._random.uniform(0.8, 2))
        limit = self.now + self._random.uniform(0, max(14, self.timeline.seconds - 16))
        while self.now < limit and self._more():
            self._exchange() if self._chance(0.4) else self._wait(self._random.uniform(1, 4))
        last = self._turn(end, pauses=False)
        if not last:
            return
        self._yield(self._random.uniform(0.5, 1.5))
        if self._turn(question, pauses=False):
            elapsed = last[-1].end - first[-1].end
            if round(elapsed) > LONGEST_TOLD:
                return
            self._answer_number(round(elapsed))
            self.timeline.events.append(Event("elapsed", first[-1].end, self.now, elapsed))
            self._yield(self._random.uniform(1.5, 3))

    def _errand(self) -> None:
        if self._theme == LONG and self._chance(0.5):
            self._type(self._writer.request())  # asked without a word: nobody needs to have spoken before a result
            self._result()
        elif self._request():
            self._yield(self._random.uniform(0.4, 1.5))
            self._result()

    def _draft(self) -> None:
        if self._drafted(self._turn(self._writer.utterance()), 1.0):
            self._follow()

    def _resumption(self) -> None:
        """The agent is stopped, and told to go on."""
        if self._chance(0.85):
            if not self._barge_in(self.now, self.now + self._random.uniform(0.5, 3)):
                return
            self._wait(self._random.uniform(0, 2.5))
        if self._command(self._writer.resume(), "continue"):
            self._agent_turn()

    def _exchange(self, cancels: bool = True) -> None:
        """One turn of the user and what follows it; without `cancels` none that takes back what was asked for."""
        draw = self._random.random()
        if draw < 0.07:
            self._background()
        elif draw < 0.14:
            self._aside()
        elif draw < 0.29:
            if self._request():
                self._follow()
        elif draw < 0.32:
            self._next_number()
        elif draw < 0.36:
            self._sum()
        elif draw < 0.40 and cancels:
            self._command(self._writer.cancel(), "cancel")
        elif draw < 0.44:
            self._command(self._writer.stop(), "stop")
        elif self._drafted(self._turn(self._writer.utterance())):
            self._follow()

    def _reply(self) -> None:
        """The agent says something, mostly, and the user answers in a few words."""
        if self._chance(0.75):
            end = self.now + self._random.uniform(1, 4)
            self._agent_speech(self.now, end)
            self.now = end + self._random.uniform(0.2, 1.5)
        if self._turn(self._writer.reply(), pauses=False):
            self._yield(self._random.uniform(0.8, 4))

    def _request(self, marked: list[str] | None = None) -> list[Span]:
        words = self._turn(marked or self._writer.request())
        if words:
            self.timeline.act.append(Due("delegate", self.now + 0.2))
            self.timeline.events.append(Event("delegate", self.now, self.now))
        return words

    def _drafted(self, words: list[Span], share: float = 0.35) -> list[Span]:
        """Sometimes an answer to these words is ready before their end, and is committed there unless it was dropped."""
        if words and words[-1].end - words[0].start > 1.5 and self._chance(share):
            ready = words[0].start + (words[-1].end - words[0].start) * self._random.uniform(0.4, 1)
            self.timeline.typed.append((ready, [DRAFT]))
            if self._chance(0.15) and words[-1].end - ready > 2 * TURN_SECONDS:
                self.timeline.typed.append((self._random.uniform(ready + TURN_SECONDS, words[-1].end), [DROPPED]))
            else:
                self.timeline.act.append(Due("commit", self.now + 0.2))
                self.timeline.events.append(Event("commit", self.now, self.now))
        return words

    def _result(self) -> None:
        """What was asked for is there: in a silence, during what the user says next, or when nobody wants it any more."""
        draw = self._random.random()
        if draw < 0.4:
            self._wait(self._random.uniform(0, 20 if self._theme == LONG and self._chance(0.6) else 3))
            ready = self.now
        else:
            marked = self._writer.cancel() if draw > 0.8 else self._writer.statement()
            words = self._turn(marked, pauses=draw < 0.8)
            if not words:
                return
            ready = self._random.uniform(words[0].start, words[-1].end)
            if draw > 0.8:
                self.timeline.act.append(Due("cancel", heard_at(words[-1])))
                self.timeline.events.append(Event("cancel", words[0].start, words[-1].end))
        offered = ready
        while offered <= self.now and offered < self.timeline.seconds:
            self.timeline.typed.append((offered, [RESULT]))
            offered += OFFER_SECONDS
        if draw > 0.8:
            self.timeline.typed.append((heard_at(words[-1]) + 2 * TURN_SECONDS, [DROPPED]))
            self._yield(self._random.uniform(1.5, 3))
            return
        due = self.now + (0.2 if draw < 0.4 else 0.6)
        self.timeline.act.append(Due("relay", due))
        self.timeline.events.append(Event("relay", ready, due))
        self._yield(due + 0.3 - self.now) if draw >= 0.4 else self._wait(due + 0.3 - self.now)
        self._agent_turn()

    def _next_number(self) -> None:
        value = int(self._random.integers(1, 19))
        if self._turn(self._writer.next_number(value), pauses=False):
            self._answer_number(value + 1)
            self.timeline.events.append(Event("next", self.now, self.now + 0.3, value + 1))
            self._yield(self._random.uniform(1.5, 2.5))

    def _sum(self) -> None:
        """A sum said aloud: the agent says what it really makes, while the user may be going on."""
        first, second = (int(number) for number in self._random.integers(1, 10, 2))
        right = first + second
        wrong = self._chance(0.6)
        claimed = int(self._random.choice([n for n in range(2, 20) if n != right])) if wrong else right
        marked = self._writer.sum(first, second, claimed)
        words = self._turn(marked, pauses=False)
        if not words:
            return
        if wrong:
            names = [word.name for word in words]
            last = words[next(i for i, name in enumerate(names) if name in ("is", "equals", "makes") and i > 1) + 1]
            due = heard_at(last)
            self.timeline.say.append(Due(number_words(right)[0], due, late=0.4))
            self.timeline.events.append(Event("sum", last.end, due, right))
            self._interject(number_words(right)[0], turn_of(due))
        self._yield(self._random.uniform(0.8, 2.0))

    def _follow(self) -> None:
        """After a turn: the agent speaks, or nobody does."""
        if self._chance(0.58):
            self._yield(self._random.uniform(0.3, 1.4))
            self._agent_turn()
        else:
            self._yield(self._random.uniform(1.0, 3.0))

    def _command(self, marked: list[str], act: str) -> list[Span]:
        words = self._turn(marked, pauses=False)
        if words:
            self.timeline.act.append(Due(act, heard_at(words[-1])))
            self.timeline.events.append(Event(act, words[0].start, words[-1].end))
            self._counting = self._counting and act != "stop"
            self._translating = self._translating and act != "stop"
            self._yield(self._random.uniform(0.8, 2.0))
        return words

    def _instruct(self, marked: list[str]) -> bool:
        """An instruction, spoken or typed; `now` is its end."""
        if self._chance(0.25):
            self._type(marked)
            return True
        if not self._turn(marked, pauses=self._chance(0.2)):
            return False
        self._yield(self._random.uniform(0.6, 1.8))
        return True

    def _type(self, marked: list[str]) -> None:
        self.timeline.typed.append((self.now, parse(marked).words))
        self._wait(TURN_SECONDS + self._random.uniform(0.4, 1.5))

    def _remind_once(self) -> None:
        delay = self._delay()
        asked = self._remind(delay)
        if asked is None:
            return
        if self._trains and self._chance(RECALLED_SHARE) and self._recalled(asked, delay):
            return
        self._reminder(asked + delay, delay)
        if self._chance(0.5):
            self._wait(max(0.0, asked + delay - self.now) + self._random.uniform(0.6, 1.5))
        else:
            while self.now < asked + delay and self._more():
                self._exchange(cancels=False)

    def _recalled(self, asked: float, delay: int) -> bool:
        """The user calls a reminder off before it is due; where there is no time for it, it comes."""
        latest = asked + delay - RECALLING_SECONDS
        if self.now > latest:
            return False
        while self._chance(0.4) and self.now < latest - EXCHANGE_SECONDS:
            self._exchange(cancels=False)
        self._wait(self._random.uniform(0, max(0.0, min(latest - self.now, 4))))
        words = [] if self.now > latest else self._command(self._writer.cancel(), "cancel")
        if not words:
            return False
        self.timeline.events.append(Event("recalled", asked, words[-1].end, delay))
        return True

    def _remind(self, delay: int) -> float | None:
        """The user asks for a reminder; @returns since when it counts"""
        start, typed = self.now, len(self.timeline.typed)
        if not self._instruct(self._writer.remind_in(delay)):
            return None
        return start if len(self.timeline.typed) > typed else self.timeline.words[-1].end

    def _remind_in_minutes(self) -> None:
        """In as many as the session has room for; where it has none, only asked for, and later cancelled in some."""
        room = int((self.timeline.seconds - self.now - 8) // 60)
        count = int(self._random.integers(1, room + 1)) if room > 0 else self._writer.minutes()
        asked = self._remind(60 * count)
        if asked is None:
            return
        if room > 0:
            self._reminder(asked + 60 * count, 60 * count)
            while self.now < asked + 60 * count and self._more():
                self._exchange(cancels=False) if self._chance(0.4) else self._wait(self._random.uniform(2, 12))
        else:
            self.timeline.events.append(Event("minutes", asked, asked, count))
            self._exchange() if self._chance(0.5) else self._wait(self._random.uniform(2, 8))
            if self._chance(0.12):
                self._command(self._writer.cancel(), "cancel")

    def _delay(self) -> int:
        if self._theme != LONG or self._chance(0.4):
            return int(self._random.integers(2, 16))
        return 60 if self._chance(0.15) else int(self._random.integers(16, 51))

    def _remind_repeatedly(self) -> None:
        period = int(self._random.integers(2, 7))
        words = self._turn(self._writer.remind_every(period), pauses=False)
        if not words:
            return
        self._yield(self._random.uniform(0.8, 1.5))
        asked, rounds = words[-1].end, int(self._random.integers(2, 5))
        for index in range(1, rounds + 1):
            self._reminder(asked + index * period, period)
        self.now = max(self.now, asked + rounds * period + self._random.uniform(0.7, max(0.8, period - 0.8)))
        if self._more():
            self._command(self._writer.stop(), "stop")

    def _reminder(self, due: float, delay: float) -> None:
        self.timeline.say.append(Due("reminder", due, early=0.2, late=0.2))
        self.timeline.events.append(Event("remind", due - delay, due, delay))
        self._interject("reminder", turn_of(due))

    def _answer_number(self, value: int) -> None:
        turn = turn_of(self.now + 0.3)
        names = number_words(value)
        for offset, name in enumerate(names):
            late = TURN_SECONDS if len(names) == 1 else 0.0
            self.timeline.say.append(Due(name, (turn + offset + 0.5) * TURN_SECONDS, late=late))
            self._interject(name, turn + offset)
