"""Directs one session: who says what to whom, and which decision of the agent each moment calls for."""

import numpy as np

from acoustics import Crowd
from exchanges import Exchanges
from timeline import Timeline
from vocabulary import MANNERS
from voices import LONG, MINUTES, RARE, REPLIES, TIER2, Studio, test_voices

MODES = {"talk": 0.42, "count": 0.24, "remind": 0.15, "stopwatch": 0.08, "errand": 0.08, "alone": 0.03}
SKILL_MODES = {"count": 0.4, "remind": 0.28, "stopwatch": 0.17, "errand": 0.15}
DRILL_MODES = {"overlap": 0.47, "mixed": 0.34, "remind": 0.06, "errand": 0.13}
"""What sessions are about: everyday ones, those of the `skills` split, and those of `drill`, full of what is rare."""
LONG_MODES = {"remind": 0.33, "stopwatch": 0.3, "count": 0.15, "errand": 0.22}
TIER2_MODES = {"translation": 0.5, "manner": 0.5}
THEME_MODES = {RARE: {"rare": 1.0}, LONG: LONG_MODES, TIER2: TIER2_MODES, MINUTES: {"minutes": 1.0}, REPLIES: {"replies": 1.0}}
RARE_STEPS = {"sum": 0.2, "next_number": 0.16, "errand": 0.24, "draft": 0.16, "resumption": 0.16, "timing": 0.08}
"""What a session of the `rare` splits is made of: what the others have a few hundred times in all."""


class Director(Exchanges):
    """Plays one session."""

    def __init__(self, split: str, seconds: float, random: np.random.Generator, studio: Studio, crowd: Crowd):
        super().__init__(split, seconds, random, studio, crowd)
        self._joins_crowd = test_voices(split) is None
        modes = {"skills": SKILL_MODES, "drill": DRILL_MODES, **THEME_MODES}.get(self._theme or split, MODES)
        self.mode = str(random.choice(list(modes), p=list(modes.values())))

    def run(self) -> Timeline:
        """The whole session."""
        getattr(self, f"_{self.mode}_mode")()
        for pcm in self._recordings if self._joins_crowd else []:  # of one voice, all strangers would soon be that one
            self._crowd.add(pcm)
        return self.timeline

    def _talk_mode(self) -> None:
        while self._more():
            self._exchange()

    def _alone_mode(self) -> None:
        while self._more():
            self._background()
            self.now += self._random.uniform(0.5, 3)

    def _count_mode(self) -> None:
        if self._chance(0.25):
            self._exchange()
        self._begin_counting()
        while self._more():
            draw = self._random.random()
            if draw < 0.72:
                if self._turn(self._writer.story(int(self._random.integers(1, 6)))):
                    self._yield(self._random.uniform(0.5, 2.0))
            elif draw < 0.94 or not self._counting:
                self._exchange()
            else:
                self._command(self._writer.stop(), "stop")

    def _overlap_mode(self) -> None:
        """The agent talks much, and the user while it does."""
        while self._more():
            if self._chance(0.35):
                self._exchange()
            elif self._chance(0.5) and self._turn(self._writer.answer()):
                self._yield(self._random.uniform(0.3, 1.0))
            self._agent_turn()

    def _mixed_mode(self) -> None:
        """Skills one after the other, and one inside the other."""
        while self._more():
            draw = self._random.random()
            if draw < 0.2 and not self._counting:
                self._begin_counting()
            elif draw < 0.52:
                if self._turn(self._writer.story(int(self._random.integers(1, 6)))):
                    self._yield(self._random.uniform(0.5, 2.0))
            elif draw < 0.8:
                self._remind_once()
            elif draw < 0.92 or not self._counting:
                self._exchange()
            else:
                self._command(self._writer.stop(), "stop")

    def _remind_mode(self) -> None:
        while self._more():
            if self._chance(0.3):
                self._exchange()
            elif self._chance(0.75):
                self._remind_once()
            else:
                self._remind_repeatedly()

    def _minutes_mode(self) -> None:
        while self._more():
            if self._chance(0.35):
                self._exchange()
            elif self._chance(0.2):
                self._remind_once()
            else:
                self._remind_in_minutes()

    def _stopwatch_mode(self) -> None:
        if self._chance(0.3):
            self._exchange()
        while self._more():
            self._timing()

    def _errand_mode(self) -> None:
        """Requests whose answers arrive while something else goes on."""
        while self._more():
            if self._chance(0.3):
                self._exchange()
            else:
                self._errand()

    def _rare_mode(self) -> None:
        names, shares = list(RARE_STEPS), list(RARE_STEPS.values())
        while self._more():
            getattr(self, f"_{self._random.choice(names, p=shares)}")()

    def _translation_mode(self) -> None:
        """The user wants to see their words in another language, until they want it no more."""
        if self._chance(0.4):
            self._exchange()
        self._translating = self._instruct(self._writer.translate())
        while self._more():
            draw = self._random.random()
            if not self._translating and draw < 0.5:
                self._translating = self._instruct(self._writer.translate())
            elif draw < 0.8:
                if self._turn(self._writer.translatable()):
                    self._yield(self._random.uniform(0.5, 2.0))
            elif draw < 0.9:
                self._exchange()
            else:
                self._command(self._writer.stop(), "stop")

    def _manner_mode(self) -> None:
        """How the agent speaks is put right, after it has spoken and while it does."""
        while self._more():
            if self._chance(0.25):
                self._exchange()
            elif self._chance(0.4):
                self._agent_turn()
            act = str(self._random.choice(["repeat", *MANNERS]))
            if self._command(self._writer.manner(act), act) and act == "repeat":
                self._agent_turn()

    def _replies_mode(self) -> None:
        """Turns of a word or a few, which nothing but the silence after them shows to be whole, and lists of such words, which go on after one."""
        while self._more():
            draw = self._random.random()
            if draw < 0.5:
                self._reply()
            elif draw < 0.68:
                if self._request(self._writer.small_talk()):
                    self._yield(self._random.uniform(0.8, 4))
            elif draw < 0.84:
                if self._turn(self._writer.fragments()):
                    self._yield(self._random.uniform(0.8, 4))
            else:
                self._exchange()
