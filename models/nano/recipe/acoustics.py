"""The way of sound from mouths and loudspeakers to the microphone: rooms, echo, noise, bands, codecs, gain."""

from dataclasses import dataclass, field

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from opus import PACKET, through_opus
from synthesis import RATE_HZ
from timeline import Timeline

SPEECH_LEVEL = 0.08
"""RMS of active speech before the session's gain."""
MOST_CRAMPED, MOST_AMPLE = 8_000, 40_000
"""Bits per second of a call."""
QUIET_SHARE = 0.35
"""Share of training sessions with next to no noise."""
ECHO_SHARE, CLEAN_ECHO_SHARE = 0.75, 0.65
"""Of the sessions, those in which the agent is heard by the microphone: in training, and in tests."""


@dataclass
class Crowd:
    """Recent recordings of other speakers: material for babble, television and voices in the background."""

    random: np.random.Generator
    limit: int = 80
    voices: list[np.ndarray] = field(default_factory=list)

    def add(self, pcm: np.ndarray) -> None:
        if len(self.voices) < self.limit:
            self.voices.append(pcm)
        else:
            self.voices[self.random.integers(self.limit)] = pcm

    def chatter(self, samples: int, talkers: int) -> np.ndarray:
        """Endless speech of `talkers` people, RMS 1; silence while nobody has been recorded."""
        out = np.zeros(samples, np.float32)
        for _ in range(talkers if self.voices else 0):
            position = -int(self.random.integers(RATE_HZ))
            while position < samples:
                pcm = self.voices[self.random.integers(len(self.voices))]
                start, stop = max(0, position), min(samples, position + len(pcm))
                if stop > start:
                    out[start:stop] += pcm[start - position : stop - position]
                position += len(pcm) + int(self.random.uniform(0, 0.6) * RATE_HZ)
        return at_level(out, 1.0)


def at_level(pcm: np.ndarray, rms: float) -> np.ndarray:
    """`pcm` with the RMS of its audible part set to `rms`; silence stays silence."""
    audible = pcm[np.abs(pcm) > 1e-3 * (np.abs(pcm).max() + 1e-9)]
    level = float(np.sqrt(np.mean(audible**2))) if len(audible) else 0.0
    return pcm if level < 1e-7 else (pcm * (rms / level)).astype(np.float32)


def decibels(value: float) -> float:
    return float(10 ** (value / 20))


def room(pcm: np.ndarray, random: np.random.Generator, far: bool = False) -> np.ndarray:
    """A small random room; `far` puts the speaker at the other end of it."""
    reverberation = random.uniform(0.2, 0.7) if far else random.uniform(0.08, 0.5)
    samples = int(reverberation * RATE_HZ)
    tail = random.standard_normal(samples) * np.exp(-6.9 * np.arange(samples) / samples)
    tail *= random.uniform(0.04, 0.15) if far else random.uniform(0.005, 0.05)
    tail[0] = 1.0
    for _ in range(random.integers(2, 6)):  # early reflections
        tail[random.integers(16, 480)] += random.uniform(-0.4, 0.4)
    return fftconvolve(pcm, tail)[: len(pcm)].astype(np.float32)


def band(pcm: np.ndarray, low: float, high: float) -> np.ndarray:
    return sosfilt(butter(4, [low, min(high, 7_900)], "bandpass", fs=RATE_HZ, output="sos"), pcm).astype(np.float32)


def echo_path(agent: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What a loudspeaker and a table make of the agent's voice: late, coloured, a little distorted, RMS as given."""
    delay = int(random.uniform(0.005, 0.2) * RATE_HZ)
    late = np.pad(agent, (delay, 0))[: len(agent)]
    driven = np.tanh(late * random.uniform(0.5, 6)) if random.random() < 0.5 else late
    return at_level(band(room(driven, random), random.uniform(80, 400), random.uniform(3_000, 7_500)), SPEECH_LEVEL)


def noise(samples: int, random: np.random.Generator, crowd: Crowd) -> np.ndarray:
    """A background, RMS 1."""
    kind = random.choice(
        ["white", "coloured", "moving", "hum", "babble", "music", "typing"], p=[0.18, 0.2, 0.14, 0.08, 0.16, 0.14, 0.1]
    )
    time = np.arange(samples) / RATE_HZ
    white = random.standard_normal(samples).astype(np.float32)
    if kind == "coloured":
        out = lfilter([1], [1, -random.uniform(0.6, 0.98)], white)
    elif kind == "moving":
        out = lfilter([1], [1, -random.uniform(0.3, 0.97)], white) * (
            1 + 0.8 * np.sin(2 * np.pi * random.uniform(0.1, 5) * time)
        )
    elif kind == "hum":
        out = (
            sum(
                random.random() / (k + 1) * np.sin(2 * np.pi * random.choice([50, 60]) * (k + 1) * time)
                for k in range(8)
            )
            + 0.1 * white
        )
    elif kind == "babble":
        out = crowd.chatter(samples, int(random.integers(4, 8))) + 0.05 * white
    elif kind == "music":
        out = music(samples, random) + 0.03 * white
    elif kind == "typing":
        out = typing(samples, random) + 0.02 * white
    else:
        out = white
    return (out / (np.sqrt(np.mean(np.square(out))) + 1e-9)).astype(np.float32)


def music(samples: int, random: np.random.Generator) -> np.ndarray:
    """Chords of decaying harmonic notes on a beat."""
    out, beat = np.zeros(samples, np.float32), int(random.uniform(0.2, 0.6) * RATE_HZ)
    scale = 220 * 2 ** (random.integers(-12, 12) / 12) * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    time = np.arange(2 * beat) / RATE_HZ
    bank = [np.exp(-3 * time) * sum(np.sin(2 * np.pi * note * k * time) / k for k in range(1, 5)) for note in scale]
    for start in range(0, samples, beat):
        for note in random.integers(0, len(bank), random.integers(1, 4)):
            stop = min(samples, start + 2 * beat)
            out[start:stop] += bank[note][: stop - start]
    return out


def typing(samples: int, random: np.random.Generator) -> np.ndarray:
    """Key clicks: short bursts at irregular times."""
    out, position = np.zeros(samples, np.float32), 0
    while position < samples:
        length = int(random.uniform(0.005, 0.03) * RATE_HZ)
        stop = min(samples, position + length)
        click = random.standard_normal(length) * np.exp(-np.arange(length) / (0.15 * length)) * random.uniform(0.3, 1)
        out[position:stop] += click[: stop - position]
        position += int((random.exponential(0.15) + 0.05 if random.random() < 0.93 else random.uniform(1, 4)) * RATE_HZ)
    return out


def call(pcm: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As a call brings it: Opus at what a bad line to a good one allows, with lost packets, alone or in bursts, in some."""
    lost = np.zeros(len(pcm) // PACKET, bool)
    if random.random() < 0.4:
        for start in np.flatnonzero(random.random(len(lost)) < random.uniform(0.01, 0.12)):
            lost[start : start + random.integers(1, 4)] = True
    return through_opus(pcm, int(np.exp(random.uniform(np.log(MOST_CRAMPED), np.log(MOST_AMPLE)))), lost)


def codec(pcm: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Coarse coding: mu-law samples, or block-wise spectral quantisation as a low-rate transform codec does it."""
    if random.random() < 0.4:
        squeezed = np.sign(pcm) * np.log1p(255 * np.abs(np.clip(pcm, -1, 1))) / np.log(256)
        steps = random.choice([32, 64, 128])
        coarse = np.round(squeezed * steps) / steps
        return (np.sign(coarse) * np.expm1(np.abs(coarse) * np.log(256)) / 255).astype(np.float32)
    size = 320
    blocks = np.fft.rfft(pcm[: len(pcm) // size * size].reshape(-1, size), axis=1)
    step = (np.abs(blocks).mean(axis=1, keepdims=True) + 1e-6) * random.uniform(0.3, 1.0)
    coarse = np.fft.irfft(np.round(blocks / step) * step, size, axis=1).reshape(-1)
    return np.pad(coarse, (0, len(pcm) - len(coarse))).astype(np.float32)


def losses(pcm: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Lost packets of 20 ms, alone or in bursts, faded to silence as a concealer gives up."""
    out, share = pcm.copy(), random.uniform(0.01, 0.12)
    for start in np.flatnonzero(random.random(len(pcm) // 320) < share) * 320:
        out[start : start + 320 * random.integers(1, 4)] *= random.uniform(0, 0.2)
    return out


def capture(
    timeline: Timeline, crowd: Crowd, random: np.random.Generator, clean: bool, echo_db: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """
    The microphone and the far-end reference of a session.

    @param clean tests: 12 to 35 dB of noise distance and no codec, where training goes down to 5 dB
    @param echo_db the echo's level below the user's speech; drawn at random where not given
    @returns mic and ref, [seconds * 16000] f32 in [-1, 1]
    """
    user = at_level(timeline.user, SPEECH_LEVEL)
    mic = room(user, random) if random.random() < 0.55 else user
    mic = mic + timeline.others * SPEECH_LEVEL
    agent = at_level(timeline.agent, SPEECH_LEVEL * decibels(random.uniform(-10, 4)))
    ref = np.zeros_like(agent)
    draw = random.random()
    if echo_db is not None or draw < 0.9:  # else a host that gives no reference, and headphones
        ref = agent
    if echo_db is not None or draw < (CLEAN_ECHO_SHARE if clean else ECHO_SHARE):
        below = echo_db if echo_db is not None else random.uniform(5, 32)
        mic = mic + echo_path(agent, random) * decibels(-below)
    if random.random() < 0.5:
        mic = lfilter([1, random.uniform(-0.6, 0.6)], [1], mic)
    if random.random() < 0.15:
        mic = lfilter([1, -1], [1, -0.95], mic)
    distance = random.uniform(12, 35) if clean else random.uniform(5, 35)
    if not clean and random.random() < QUIET_SHARE:  # as browsers with noise suppression send it
        distance = random.uniform(35, 70)
    mic = mic + noise(len(mic), random, crowd) * SPEECH_LEVEL * decibels(-distance)
    mic = np.asarray(mic, np.float32) * decibels(random.uniform(-22, 8))
    if not clean:
        draw = random.random()
        if draw < 0.1:
            mic = band(mic, 300, 3_400)
        elif draw < 0.18:
            mic = band(mic, 60, random.uniform(3_500, 6_500))
        elif draw < 0.4:
            mic = call(mic, random)
        elif draw < 0.46:
            mic = codec(mic, random)
        elif draw < 0.51:
            mic = losses(mic, random)
    return np.clip(mic, -1, 1), np.clip(ref, -1, 1)
