"""Who speaks: the voices of training and of every held-out test, and how a random speaker is drawn from them."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from aligned import PICO_VOICES, RHVOICE_VOICES, Aligner, Pico, RHVoice
from conversion import Conversion, convert, draw_conversion
from synthesis import Delivery, Espeak, Festival, Flite, Utterance

ACCENTS = "en en-us en-gb-scotland en-gb-x-rp en-gb-x-gbclan en-gb-x-gbcwmd en-029 en-us-nyc".split()
HELD_OUT_VARIANTS = "m3 f4 Annie david steph michel paul robert klatt4 grandpa".split()
VARIANTS = """m1 m2 m4 m5 m6 m7 m8 f1 f2 f3 f5 Alex Alicia Andrea Andy AnxiousAndy Denis Diogo Gene Gene2 Henrique Hugo Jacky
Lee Marco Mario Michael Mike plain Nguyen RicishayMax RicishayMax2 RicishayMax3 Tweaky adam anika antonio aunty belinda
benjamin boris caleb croak ed edward edward2 fast grandma gustave iven iven2 iven3 iven4 john kaukovalta klatt klatt2 klatt3
klatt5 klatt6 linda marcelo max miguel norbert pablo pedro quincy rob sandro plain shelby travis victor whisper whisperf
zac""".split()
"""`plain` is the accent alone. It has two places: what is drawn from a seed depends on everybody's."""
FLITE_SHARES = {"kal": 0.08, "kal16": 0.22, "awb": 0.35, "rms": 0.35}
SHARES = {"flite": 0.36, "espeak": 0.28, "rhvoice": 0.2, "pico": 0.16}
"""Of the speakers of training, by engine."""
SHARES_AROUND = {"flite": 0.58, "espeak": 0.42}
"""Of the agent, and of the first strangers in the background: whatever voices training gets, tests stay what they were."""

RARE, LONG, TIER2, MINUTES, REPLIES, DRILL = "rare", "long", "tier2", "minutes", "replies", "drill"
THEMES = (RARE, LONG, TIER2, MINUTES, REPLIES)
TEST_THEMES = (*THEMES, DRILL)
TEST_VOICES = ("espeak", "slt", "festival")
"""Unseen espeak variants, an unseen voice, an unseen engine."""
SPLITS = (
    *("train", "seen", *TEST_VOICES, "skills", "drill"),
    *(split for theme in THEMES[:-1] for split in (theme, *(f"{voices}-{theme}" for voices in TEST_VOICES))),
    *(f"{voices}-{DRILL}" for voices in (*TEST_VOICES, "seen")),
    *(REPLIES, *(f"{voices}-{REPLIES}" for voices in TEST_VOICES)),
)
"""`train`; `skills`, `drill` and the themes with more of what is learnt slowly: rare skills, long waits, the second tier (translation,
repeat, louder), reminders in minutes, and short turns. The tests: new sentences of training voices (`seen`), and everyday talk and each theme by voices that nobody was
trained on. A place in this order is part of a shard's seed: what is new comes last."""


@dataclass(frozen=True)
class Speaker:
    """One person of one session."""

    engine: str
    voice: str
    delivery: Delivery = Delivery()
    speed: float = 1.0
    conversion: Conversion = field(default_factory=Conversion)


def theme_of(split: str) -> str | None:
    """What its sessions are full of; nothing where that is everyday talk."""
    theme = split.rsplit("-", 1)[-1]
    return theme if theme in TEST_THEMES else None


def test_voices(split: str) -> str | None:
    """Of which voices that are never trained on a test split is; nothing for the others."""
    voices = split.split("-", 1)[0]
    return voices if voices in TEST_VOICES else None


def draw_speaker(split: str, random: np.random.Generator) -> Speaker:
    """A random speaker of one split. Only training (and `seen`) voices are converted: tests are as synthesised."""
    split = test_voices(split) or split
    if split == "slt":
        return Speaker("flite", "slt", Delivery(tempo=random.uniform(0.85, 1.15)))
    if split == "festival":
        return Speaker("festival", "ked", Delivery(tempo=random.uniform(0.85, 1.15)))
    if split == "espeak":
        name = f"{random.choice(ACCENTS)}+{random.choice(HELD_OUT_VARIANTS)}"
        return Speaker(
            "espeak", name, Delivery(random.uniform(0.75, 1.2), random.uniform(0.4, 1.6), random.uniform(0.5, 1.5))
        )
    return _draw_trained_speaker(SHARES, random)


def draw_other(random: np.random.Generator) -> Speaker:
    """Anybody who is heard in a session beside its speaker."""
    return _draw_trained_speaker(SHARES_AROUND, random)


def _draw_trained_speaker(shares: dict[str, float], random: np.random.Generator) -> Speaker:
    engine = random.choice(list(shares), p=list(shares.values()))
    if engine == "espeak":
        variant = random.choice(["", *VARIANTS], p=[0.06, *([0.94 / len(VARIANTS)] * len(VARIANTS))])
        name = str(random.choice(ACCENTS)) + (f"+{variant}" if variant not in ("", "plain") else "")
        delivery = Delivery(random.uniform(0.68, 1.35), random.uniform(0.2, 1.8), random.uniform(0.4, 1.7))
        speaker = Speaker("espeak", name, delivery, float(random.uniform(0.85, 1.15)))
        plain, strength = random.random() < 0.5, 0.8
    else:
        speaker, plain, strength = _draw_recorded_speaker(engine, random), random.random() < 0.12, 1.0
    return speaker if plain else replace(speaker, conversion=draw_conversion(random, strength))


def _draw_recorded_speaker(engine: str, random: np.random.Generator) -> Speaker:
    """One of the few voices that were made of a person's recordings, as somebody else."""
    if engine == "flite":
        voice, lowest, highest = random.choice(list(FLITE_SHARES), p=list(FLITE_SHARES.values())), 0.7, 1.9
    else:
        voice, lowest, highest = random.choice(RHVOICE_VOICES if engine == "rhvoice" else PICO_VOICES), 0.72, 1.5
    pitch = float(np.exp(random.uniform(np.log(lowest), np.log(highest))))
    delivery = Delivery(random.uniform(0.75, 1.35), pitch, random.uniform(0.5, 2.0))
    # A high voice mostly has a short vocal tract: tie the two, loosely.
    speed = float(np.clip(pitch**0.35 * np.exp(random.normal(0, 0.07)), 0.8, 1.35))
    return Speaker(engine, str(voice), delivery, speed)


class Studio:
    """Opens the engines and records speakers. `folder` holds the compiled bridges."""

    def __init__(self, folder: Path):
        flite = Flite(folder)
        aligner = Aligner(folder, flite)
        self._engines = {
            "espeak": Espeak(folder),
            "flite": flite,
            "festival": Festival(),
            "rhvoice": RHVoice(folder, aligner),
            "pico": Pico(folder, aligner),
        }

    def record(
        self, speaker: Speaker, words: list[str], marks: dict[int, str], random: np.random.Generator
    ) -> Utterance:
        """One utterance, a little different in tempo and pitch each time; @throws VoiceError if the voice is silent."""
        delivery = replace(
            speaker.delivery,
            tempo=speaker.delivery.tempo * random.uniform(0.93, 1.07),
            pitch=speaker.delivery.pitch * random.uniform(0.96, 1.04),
        )
        spoken = self._engines[speaker.engine].speak(words, marks, speaker.voice, delivery, speaker.speed)
        return replace(spoken, pcm=convert(spoken.pcm, speaker.conversion, random))
