"""The stage of one session: how the user, the agent and strangers are heard on it, and what is true while they are."""

from dataclasses import replace

import numpy as np

from acoustics import SPEECH_LEVEL, Crowd, at_level, band, decibels, room
from labels import SLOT_SECONDS, TURN_SECONDS, WORD_DELAY_SLOTS, turn_of
from line import Line, parse
from synthesis import RATE_HZ, ReadingError, Span, Utterance
from texts import Writer
from timeline import Due, Event, Timeline
from vocabulary import ANIMALS, SPANISH, canonical, number_words, shown
from voices import Speaker, Studio, draw_other, draw_speaker, test_voices

YIELD_SECONDS = 2.0
"""How long after a turn `yielded` lasts before it is plain silence."""
BACKCHANNEL_AFTER_SECONDS = 4.0
COUNT_LIMIT = 20
UNHEARD_SHARE = 0.35
"""Of the sessions of training, those whose agent is not heard to say its short words: what it hears itself say is always right there, and must not be what it counts by."""
MOST_AGENTS = 20


def heard_at(word: Span) -> float:
    """When the transcript of `word` is complete: its slot and the one after."""
    return (int(word.end / SLOT_SECONDS) + WORD_DELAY_SLOTS + 1) * SLOT_SECONDS


class Stage:
    """Puts speech on a timeline, with the marks that follow from it. `now` is where the next thing happens."""

    def __init__(self, split: str, seconds: float, random: np.random.Generator, studio: Studio, crowd: Crowd):
        self._random, self._studio, self._crowd = random, studio, crowd
        self._trains = test_voices(split) is None and not split.startswith("seen")
        self._writer = Writer(random, varied=self._trains)
        self._speaker = draw_speaker(split, random)
        self._agent = draw_other(random)
        self._agent_words: dict[str, Utterance] = {}
        self._recordings: list[np.ndarray] = []
        self._counting, self._count = False, 0
        self._interjections_heard = not (self._trains and self._chance(UNHEARD_SHARE))
        self._translating, self._shown = False, 0.0
        self.timeline = Timeline(seconds)
        self.now = float(random.uniform(0.2, 1.5))

    @property
    def speaker(self) -> Speaker:
        return self._speaker

    # Others

    def _background(self) -> None:
        """A television or people at the other end of the room: not for us."""
        duration = self._random.uniform(1.0, 4.0)
        pcm = self._crowd.chatter(int(duration * RATE_HZ), 1 if self._chance(0.7) else 2)
        if not pcm.any():
            return self._wait(0.5)
        pcm = room(pcm, self._random, far=True)
        if self._chance(0.4):
            pcm = band(pcm, self._random.uniform(150, 500), self._random.uniform(2_500, 5_000))
        self.timeline.put(self.timeline.others, pcm * decibels(self._random.uniform(-22, -10)), self.now)
        self._elsewhere(self.now, self.now + duration)
        self.now += duration
        self._wait(self._random.uniform(0.4, 1.5))

    def _aside(self) -> None:
        """The user turns away and speaks to somebody else."""
        spoken = self._record(parse(self._writer.aside()), self._speaker)
        if not spoken:
            return
        pcm = band(room(spoken.pcm, self._random, far=self._chance(0.5)), 60, self._random.uniform(2_500, 7_000))
        turned = replace(spoken, pcm=at_level(pcm, SPEECH_LEVEL * decibels(self._random.uniform(-14, -4))))
        words = self.timeline.perform(turned, self.now, {}, self.timeline.user)
        self.timeline.words += words
        self._elsewhere(words[0].start, words[-1].end)
        self.now = words[-1].end
        self._wait(self._random.uniform(0.5, 2.0))

    def _elsewhere(self, start: float, end: float) -> None:
        self.timeline.floor.append(Span("elsewhere", start + 0.15, end))
        self.timeline.events.append(Event("elsewhere", start, end))

    # The agent's turns

    def _agent_turn(self) -> None:
        """The agent holds the floor; the user listens, backchannels, or breaks in."""
        start = self.now
        end = start + self._random.uniform(2, 7)
        moment = start + self._random.uniform(0.3, 1.5)
        while moment < min(end - 0.6, self.timeline.seconds - 1.2):
            draw = self._random.random()
            if draw < 0.36:
                words = self._user(self._writer.backchannel(), moment, pauses=False)
                if words:
                    span = words[0].start, words[-1].end
                    self.timeline.floor.append(Span("backchannel", *span))
                    self.timeline.events.append(Event("backchannel", *span))
                    moment = span[1] + self._random.uniform(0.6, 2)
                    end = max(end, span[1] + 0.4)
            elif draw < 0.66:
                stopped = self._barge_in(start, moment)
                if stopped:
                    return
            elif draw < 0.78:
                before, self.now = self.now, moment
                self._background()
                moment, self.now = self.now, before
            moment += self._random.uniform(0.5, 2)
        self._agent_speech(start, end)
        self.now = end + self._random.uniform(0.2, 1.5)

    def _barge_in(self, start: float, moment: float) -> bool:
        """The user takes the floor at `moment` from an agent that speaks since `start`."""
        short = self._chance(0.5)
        marked = (
            self._writer.stop()
            if short
            else self._writer.cancel()
            if self._chance(0.1)
            else [*(["no"] if self._chance(0.2) else []), *self._writer.statement()]
        )
        line = parse(marked)
        words = self._user(line, moment, pauses=not short)
        if not words:
            return False
        onset, past = words[0].start, words[-1].end
        decided = onset + 0.9 if not short else min(words[0].end + 0.2, onset + 0.9)
        stop_turn = turn_of(decided)
        silenced = (stop_turn + 1) * TURN_SECONDS + self._random.uniform(0.02, 0.12)
        self._mark_turn(line, words)
        self.timeline.act.append(Due("stop", stop_turn * TURN_SECONDS))
        self.timeline.events.append(Event("barge-in", onset, past))
        self._agent_speech(start, silenced)
        self.now = past
        self._yield(self._random.uniform(0.8, 2.5))
        # After a short "stop" there is nothing to answer before the agent is silent.
        self.timeline.floor.append(Span("barge-in", onset, silenced))
        return True

    def _agent_speech(self, start: float, end: float) -> None:
        """The agent is audible from `start` to `end`: sentences on its layer, cut off at the end."""
        moment = start
        while moment < end:
            spoken = self._agent_sentence()
            room_left = int((end - moment) * RATE_HZ)
            first = int(spoken.words[0].start * RATE_HZ)
            pcm = spoken.pcm[first : first + room_left]
            self.timeline.put(self.timeline.agent, pcm, moment)
            moment += len(pcm) / RATE_HZ + self._random.uniform(0, 0.3)
        self.timeline.play.append(Span("agent", start, end))

    def _agent_sentence(self) -> Utterance:
        """
        Said by another voice where this one misreads it: what the user does meanwhile is done to an agent that talks.

        @throws ReadingError where many voices in a row misread what they are given
        """
        for _ in range(MOST_AGENTS):
            spoken = self._record(parse(self._writer.talk()), self._agent)
            if spoken:
                return spoken
            self._agent, self._agent_words = draw_other(self._random), {}
        raise ReadingError(f"{MOST_AGENTS} voices in a row misread the agent's sentences")

    def _interject(self, name: str, turn: int) -> None:
        """The agent says one short thing right after micro-turn `turn`, while the user goes on as before."""
        if not self._interjections_heard:
            return
        text = {"reminder": "here is your reminder", "uh-huh": "uh huh"}.get(name, name)
        if text not in self._agent_words:
            spoken = self._record(parse(text.split()), self._agent)
            if not spoken:
                return
            self._agent_words[text] = spoken
        spoken = self._agent_words[text]
        start = (turn + 1) * TURN_SECONDS + self._random.uniform(0.03, 0.25)
        begin, end = spoken.words[0].start, spoken.words[-1].end
        self.timeline.put(self.timeline.agent, spoken.pcm[int(begin * RATE_HZ) : int(end * RATE_HZ)], start)
        self.timeline.play.append(Span("agent", start, start + end - begin))

    # The user's voice

    def _turn(self, marked: list[str], pauses: bool = True) -> list[Span]:
        """One whole turn at `now`, which moves to its end; no words if it could not be said."""
        line = parse(marked)
        words = self._user(line, self.now, pauses)
        if words:
            self._mark_turn(line, words)
            self.now = words[-1].end
        return words

    def _mark_turn(self, line: Line, words: list[Span]) -> None:
        self.timeline.mark_speech(words, "speaking")
        corrected = set()
        for first, past in line.corrections:
            corrected.update(range(first, past))
            for index in range(first, past):
                end = (
                    words[index].end
                    if index + 1 == len(words)
                    else max(words[index].end, min(words[index + 1].start, words[index].end + 0.25))
                )
                self.timeline.floor.append(
                    Span("correcting", words[index].start + (0.15 if index == first else 0), end)
                )
        self._count_mentions(words, corrected)
        self._translate(words)
        self._backchannel(words)

    def _count_mentions(self, words: list[Span], corrected: set[int]) -> None:
        for index, word in enumerate(words):
            if (
                self._counting
                and canonical(word.name) in ANIMALS
                and index not in corrected
                and self._count < COUNT_LIMIT
            ):
                self._count += 1
                due = heard_at(word)
                self.timeline.say.append(Due(number_words(self._count)[0], due))
                self.timeline.events.append(Event("count", word.end, due, self._count))
                self._interject(number_words(self._count)[0], turn_of(due))

    def _translate(self, words: list[Span]) -> None:
        """Each word as soon as it is known, one in a micro-turn."""
        for word in words if self._translating else []:
            if canonical(word.name) in SPANISH:
                self._shown = max(heard_at(word), self._shown + TURN_SECONDS)
                self.timeline.say.append(Due(shown(canonical(word.name)), self._shown, late=TURN_SECONDS))
                self.timeline.events.append(Event("translate", word.end, self._shown))

    def _backchannel(self, words: list[Span]) -> None:
        """In the pauses of a long turn the agent shows that it listens."""
        since = words[0].start
        for word, following in zip(words, words[1:]):
            if not self._counting and following.start - word.end > 0.6 and word.end - since > BACKCHANNEL_AFTER_SECONDS:
                self.timeline.act.append(Due("backchannel", word.end + 0.4))
                self.timeline.events.append(Event("uh-huh", word.end, following.start))
                self._interject("uh-huh", turn_of(word.end + 0.4))
                since = word.end

    def _user(self, text: Line | list[str], at: float, pauses: bool) -> list[Span]:
        """The user speaks at `at`; floor marks are the caller's business."""
        line = text if isinstance(text, Line) else parse(text)
        if at > self.timeline.seconds - 0.6:
            return []
        spoken = self._record(line, self._speaker)
        if not spoken:
            return []
        self._recordings.append(at_level(spoken.pcm, SPEECH_LEVEL))
        levelled = replace(spoken, pcm=at_level(spoken.pcm, SPEECH_LEVEL * decibels(self._random.uniform(-3, 3))))
        words = self.timeline.perform(levelled, at, self._pauses(line) if pauses else {}, self.timeline.user)
        self.timeline.words += words
        return words

    def _pauses(self, line: Line) -> dict[int, float]:
        """Where and how long the user stops to think: mostly short, up to 5 s."""
        last = len(line.words) - 1
        places = {index for index in line.breaks if index < last and self._chance(0.4)}
        if last > 2 and self._chance(0.3):
            places.add(int(self._random.integers(0, last)))
        draw = lambda: self._random.choice(
            [self._random.uniform(0.3, 1.2), self._random.uniform(1.2, 3), self._random.uniform(3, 5)],
            p=[0.58, 0.26, 0.16],
        )
        return {index: float(draw()) for index in places}

    def _record(self, line: Line, speaker: Speaker) -> Utterance | None:
        last = len(line.words) - 1
        marks = {index: "," for index in line.commas}
        marks |= {index: "," for index in line.breaks if self._chance(0.4)}
        marks[last] = self._random.choice([".", ".", "?", ""], p=[0.5, 0.25, 0.15, 0.1])
        try:
            return self._studio.record(speaker, line.words, marks, self._random)
        except ReadingError:
            return None

    # Time

    def _yield(self, gap: float) -> None:
        self.timeline.floor.append(Span("yielded", self.now, self.now + min(gap, YIELD_SECONDS)))
        self.timeline.events.append(Event("yield", self.now, self.now + gap))
        self.now += gap

    def _wait(self, seconds: float) -> None:
        self.now += seconds

    def _more(self) -> bool:
        self.now += 0.01  # a block that could say nothing still takes time
        return self.now < self.timeline.seconds - 1.0

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability
