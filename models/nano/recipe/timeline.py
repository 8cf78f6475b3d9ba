"""One session on the clock: who makes which sound when, and what it means. Seconds throughout."""

from dataclasses import dataclass, field

import numpy as np

from synthesis import RATE_HZ, Span, Utterance

FADE_SAMPLES = 80
HOLD_SECONDS = 0.25
"""A shorter gap between two words of one utterance is part of speaking."""


@dataclass
class Event:
    """Something that an evaluation counts. `value` is a number of seconds, a count, or nothing."""

    kind: str
    start: float
    end: float
    value: float = 0.0


@dataclass
class Due:
    """An agent word that is due at `at`, and may as well come up to `early` before or `late` after."""

    name: str
    at: float
    early: float = 0.0
    late: float = 0.2


@dataclass
class Timeline:
    """Three layers of sound of `seconds`, and the marks that labels are made of."""

    seconds: float
    user: np.ndarray = field(init=False)
    others: np.ndarray = field(init=False)
    agent: np.ndarray = field(init=False)
    words: list[Span] = field(default_factory=list)
    phones: list[Span] = field(default_factory=list)
    floor: list[Span] = field(default_factory=list)
    """Floor classes over time; a later entry overrides an earlier one."""
    play: list[Span] = field(default_factory=list)
    say: list[Due] = field(default_factory=list)
    act: list[Due] = field(default_factory=list)
    typed: list[tuple[float, list[str]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self):
        samples = int(self.seconds * RATE_HZ)
        self.user, self.others, self.agent = (np.zeros(samples, np.float32) for _ in range(3))

    def put(self, layer: np.ndarray, pcm: np.ndarray, at: float) -> None:
        """Adds `pcm` to a layer; what falls outside the session is cut off."""
        start = int(at * RATE_HZ)
        skipped = max(0, -start)
        room = min(len(pcm) - skipped, len(layer) - start - skipped)
        if room > 0:
            layer[start + skipped : start + skipped + room] += pcm[skipped : skipped + room]

    def perform(self, utterance: Utterance, at: float, pauses: dict[int, float], layer: np.ndarray) -> list[Span]:
        """
        Places an utterance so that its first word starts at `at`, with silence cut in after some words.

        @param pauses seconds of silence by the index of the word before it
        @returns the words with their times in the session
        """
        first, last = utterance.words[0].start, utterance.words[-1].end
        length = len(utterance.pcm) / RATE_HZ
        cuts = [utterance.words[index].end for index in sorted(pauses)]
        lengths = [pauses[index] for index in sorted(pauses)]
        begins = [max(0.0, first - 0.02), *cuts]
        ends = [*cuts, min(length, last + 0.1)]
        shift, spoken = at - first, []
        for piece, (begin, end) in enumerate(zip(begins, ends)):
            pcm = utterance.pcm[int(begin * RATE_HZ) : int(end * RATE_HZ)].copy()
            fade = min(FADE_SAMPLES, len(pcm) // 2)
            if fade:
                ramp = np.linspace(0, 1, fade, dtype=np.float32)
                pcm[:fade] *= ramp
                pcm[-fade:] *= ramp[::-1]
            self.put(layer, pcm, begin + shift)
            moved = lambda span: Span(span.name, span.start + shift, min(span.end, end) + shift)
            inside = lambda span: begin <= (span.start + span.end) / 2 < end
            spoken += [moved(word) for word in utterance.words if inside(word)]
            self.phones += [moved(phone) for phone in utterance.phones if inside(phone) and layer is self.user]
            shift += lengths[piece] if piece < len(lengths) else 0.0
        return spoken

    def mark_speech(self, words: list[Span], floor: str) -> None:
        """`floor` while the words last, `holding` in the gaps between them."""
        start = words[0].start
        for word, following in zip(words, words[1:]):
            if following.start - word.end > HOLD_SECONDS:
                self.floor += [Span(floor, start, word.end), Span("holding", word.end, following.start)]
                self.events.append(Event("hold", word.end, following.start))
                start = following.start
        self.floor.append(Span(floor, start, words[-1].end))
