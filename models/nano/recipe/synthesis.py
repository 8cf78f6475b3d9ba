"""Text to speech with word and phone times, from espeak-ng and flite (and festival, for evaluation only); `aligned.py` has two more engines.

Every engine returns an `Utterance` at 16 kHz. An unknown voice or an utterance without sound is an error, never an
empty recording: a silent voice would poison the data without anybody noticing.
"""

import ctypes
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from vocabulary import PHONE_INDEX

RATE_HZ = 16_000
SILENT_PEAK = 0.01
NATIVE = Path(__file__).parent / "native"
LIMIT_SAMPLES, LIMIT_EVENTS, LIMIT_NAMES = 22_050 * 60, 6_000, 40_000

FLITE_VOICES = ["kal", "kal16", "awb", "rms", "slt"]
FLITE_LIBRARIES = [
    "-lflite_cmu_us_kal",
    "-lflite_cmu_us_kal16",
    "-lflite_cmu_us_awb",
    "-lflite_cmu_us_rms",
    "-lflite_cmu_us_slt",
    "-lflite_usenglish",
    "-lflite_cmulex",
    "-lflite",
]


class VoiceError(RuntimeError):
    """A voice that does not exist, or that made no sound: the recipe must stop."""


class ReadingError(ValueError):
    """An engine read the text as other words than were written: say something else."""


@dataclass
class Span:
    """A word or phone with its start and end in seconds."""

    name: str
    start: float
    end: float


@dataclass
class Utterance:
    """Speech at 16 kHz, mono, f32 in [-1, 1], with its words and phones in time order."""

    pcm: np.ndarray
    words: list[Span]
    phones: list[Span]


@dataclass(frozen=True)
class Delivery:
    """How a voice speaks: engine-neutral, 1 is the voice's own."""

    tempo: float = 1.0
    pitch: float = 1.0
    liveliness: float = 1.0


def build_native(folder: Path) -> None:
    """Compiles the bridges into `folder`, once."""
    folder.mkdir(parents=True, exist_ok=True)
    libraries = {
        "espeak_bridge": ["-lespeak-ng"],
        "flite_bridge": FLITE_LIBRARIES,
        "rhvoice_bridge": ["-lRHVoice"],
        "pico_bridge": ["-lttspico"],
        "align": ["-O3", "-ffast-math", "-lm"],
    }
    for name, options in libraries.items():
        source, target = NATIVE / f"{name}.c", folder / f"{name}.so"
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", str(source), "-o", str(target), *options], check=True)


def checked(pcm: np.ndarray, voice: str, text: str) -> np.ndarray:
    """`pcm` itself, or an error where nothing can be heard in it."""
    if len(pcm) == 0 or float(np.abs(pcm).max()) < SILENT_PEAK:
        raise VoiceError(f"voice {voice!r} made no sound for {text!r}")
    return pcm


def at_16khz(utterance: Utterance, rate_hz: int, speed: float = 1.0) -> Utterance:
    """
    Brings speech to 16 kHz; `speed` above 1 plays it faster, raising pitch and formants together.

    @param rate_hz the rate that `utterance.pcm` is at now; `speed` is rounded to a twentieth
    """
    pcm, twentieths = utterance.pcm, round(speed * 20)
    for up, down in ((RATE_HZ, rate_hz), (20, twentieths)):  # two short filters where one would need a very long one
        if up != down:
            divisor = np.gcd(up, down)
            pcm = resample_poly(pcm, up // divisor, down // divisor).astype(np.float32)
    factor = 20 / twentieths
    scale = lambda spans: [Span(span.name, span.start * factor, span.end * factor) for span in spans]
    return Utterance(pcm, scale(utterance.words), scale(utterance.phones))


def written(words: list[str], marks: dict[int, str]) -> tuple[str, list[int]]:
    """The text of `words` with punctuation after some of them, and each word's character position, from 1."""
    text, positions = "", []
    for index, word in enumerate(words):
        positions.append(len(text) + 1)
        text += word + marks.get(index, "") + " "
    return text, positions


class Espeak:
    """espeak-ng through its C library: formant synthesis, more than a thousand times real time."""

    PHONES = {
        "@": "ax",
        "3": "er",
        "3:": "er",
        "@L": "ax",
        "a": "ae",
        "aa": "ae",
        "a#": "ax",
        "A:": "aa",
        "A@": "aa",
        "A": "aa",
        "E": "eh",
        "e": "eh",
        "I": "ih",
        "i": "iy",
        "i:": "iy",
        "0": "aa",
        "0#": "aa",
        "V": "ah",
        "U": "uh",
        "u:": "uw",
        "u": "uw",
        "uU": "uw",
        "O:": "ao",
        "O": "ao",
        "O@": "ao",
        "o@": "ao",
        "aI": "ay",
        "aI@": "ay",
        "aI3": "ay",
        "eI": "ey",
        "OI": "oy",
        "aU": "aw",
        "aU@": "aw",
        "oU": "ow",
        "e@": "eh",
        "i@": "iy",
        "i@3": "iy",
        "U@": "uh",
        "VR": "er",
        "T": "th",
        "D": "dh",
        "S": "sh",
        "Z": "zh",
        "h": "hh",
        "N": "ng",
        "j": "y",
        "tS": "ch",
        "dZ": "jh",
        "x": "k",
        "?": "t",
    }
    WORD_EVENT, PHONEME_EVENT = 1, 7
    EVENT = np.dtype([("kind", "f8"), ("seconds", "f8"), ("character", "f8"), ("phoneme", "S8")])

    def __init__(self, folder: Path):
        self._library = ctypes.CDLL(str(folder / "espeak_bridge.so"))
        self._rate_hz = self._library.bridge_open()
        if self._rate_hz <= 0:
            raise VoiceError("espeak-ng could not be opened")
        self._samples = np.zeros(LIMIT_SAMPLES, np.int16)
        self._events = np.zeros(LIMIT_EVENTS, self.EVENT)
        self._voice = ""

    def speak(
        self, words: list[str], marks: dict[int, str], voice: str, delivery: Delivery, speed: float = 1.0
    ) -> Utterance:
        """`voice` is an espeak name, `accent+variant`; @throws VoiceError if it is unknown or silent."""
        if voice != self._voice:
            self._voice = ""
            if self._library.bridge_voice(voice.encode()) != 0:
                raise VoiceError(f"espeak-ng has no voice {voice!r}")
            self._voice = voice
        text, positions = written(words, marks)
        total = ctypes.c_int()
        count = self._library.bridge_speak(
            text.encode(),
            int(np.clip(165 * delivery.tempo / speed, 80, 400)),
            int(np.clip(50 * delivery.pitch, 0, 99)),
            int(np.clip(50 * delivery.liveliness, 0, 99)),
            self._samples.ctypes.data_as(ctypes.c_void_p),
            LIMIT_SAMPLES,
            self._events.ctypes.data_as(ctypes.c_void_p),
            LIMIT_EVENTS,
            ctypes.byref(total),
        )
        pcm = checked(self._samples[:count].astype(np.float32) / 32_768, voice, text)
        phones, starts = self._timed(self._events[: total.value], count / self._rate_hz)
        spoken = self._words(words, positions, phones, starts, count / self._rate_hz)
        return at_16khz(Utterance(pcm, spoken, phones), self._rate_hz, speed)

    def _timed(self, events: np.ndarray, length: float) -> tuple[list[Span], dict[int, float]]:
        """Phones with ends (an espeak phone ends where the next begins), and word starts by character position."""
        phones, starts = [], {}
        for event in events:
            if event["kind"] == self.PHONEME_EVENT:
                name = self._phone(event["phoneme"].decode("latin1"))
                if name:
                    phones.append(Span(name, float(event["seconds"]), length))
            elif event["kind"] == self.WORD_EVENT:
                starts.setdefault(int(event["character"]), float(event["seconds"]))
        for one, following in zip(phones, phones[1:]):
            one.end = following.start
        return [phone for phone in phones if phone.end > phone.start + 0.003], starts

    def _phone(self, name: str) -> str | None:
        if name.startswith("_"):
            return "sil"
        for form in (name, name.rstrip("#-2345:*!")):
            if form in self.PHONES:
                return self.PHONES[form]
            if form in PHONE_INDEX:
                return form
        return name[:1] if name[:1] in PHONE_INDEX else None

    def _words(self, words, positions, phones, starts, length) -> list[Span]:
        """espeak joins some words ("it is") into one event: those share its time evenly."""
        voiced = [phone for phone in phones if phone.name != "sil"]
        if not voiced:
            raise VoiceError(f"espeak-ng gave no phones for {' '.join(words)!r}")
        begin = [starts.get(position) for position in positions]
        begin[0] = voiced[0].start if begin[0] is None else begin[0]
        spoken, index = [], 0
        while index < len(words):
            following = index + 1
            while following < len(words) and begin[following] is None:
                following += 1
            limit = begin[following] if following < len(words) else length
            inside = [phone for phone in voiced if begin[index] - 0.012 <= phone.start < limit - 0.012]
            start = inside[0].start if inside else begin[index]
            end = max(phone.end for phone in inside) if inside else limit
            part = (end - start) / (following - index)
            for offset in range(following - index):
                spoken.append(Span(words[index + offset], start + part * offset, start + part * (offset + 1)))
            index = following
        return spoken


class Flite:
    """flite through its C library: two diphone voices and three statistical ones, each with its own pitch control."""

    PHONES = {"pau": "sil", "axr": "er", "el": "l", "em": "m", "en": "n"}
    TIMES = 4_000

    def __init__(self, folder: Path):
        self._library = ctypes.CDLL(str(folder / "flite_bridge.so"))
        self._library.bridge_open()
        self._samples = np.zeros(LIMIT_SAMPLES, np.int16)
        self._starts, self._ends, self._phone_ends = (np.zeros(self.TIMES) for _ in range(3))
        self._words, self._phones = (ctypes.create_string_buffer(LIMIT_NAMES) for _ in range(2))

    def speak(
        self, words: list[str], marks: dict[int, str], voice: str, delivery: Delivery, speed: float = 1.0
    ) -> Utterance:
        """@throws VoiceError if the voice is unknown or silent; ReadingError if the text was read as other words."""
        if voice not in FLITE_VOICES:
            raise VoiceError(f"flite has no voice {voice!r}")
        text, _ = written(words, marks)
        pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
        rate, word_total, phone_total = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        size = ctypes.c_size_t(LIMIT_NAMES)
        count = self._library.bridge_speak(
            text.encode(),
            FLITE_VOICES.index(voice),
            ctypes.c_float(speed / delivery.tempo),
            ctypes.c_float(delivery.pitch / speed),
            ctypes.c_float(delivery.liveliness),
            pointer(self._samples),
            LIMIT_SAMPLES,
            ctypes.byref(rate),
            self._words,
            size,
            pointer(self._starts),
            pointer(self._ends),
            ctypes.byref(word_total),
            self._phones,
            size,
            pointer(self._phone_ends),
            ctypes.byref(phone_total),
            self.TIMES,
        )
        pcm = checked(self._samples[:count].astype(np.float32) / 32_768, voice, text)
        if word_total.value != len(words):
            raise ReadingError(f"flite read {text!r} as {word_total.value} words, not {len(words)}")
        spoken = [Span(word, self._starts[i], self._ends[i]) for i, word in enumerate(words)]
        names, phones, start = self._phones.value.decode().split("\n"), [], 0.0
        for name, end in zip(names[: phone_total.value], self._phone_ends):
            phones.append(Span(self.PHONES.get(name, name), start, float(end)))
            start = float(end)
        return at_16khz(Utterance(pcm, spoken, phones), rate.value, speed)


class Festival:
    """festival's `ked`: never trained on, it stands in for a person. One process per utterance, so for tests only."""

    def speak(
        self, words: list[str], marks: dict[int, str], voice: str, delivery: Delivery, speed: float = 1.0
    ) -> Utterance:
        """`speed` is ignored; @throws VoiceError if festival fails; ReadingError if it reads other words."""
        if voice != "ked":
            raise VoiceError(f"festival has no voice {voice!r} here")
        text, _ = written(words, marks)
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "speech.wav"
            script = f"""(voice_ked_diphone) (Parameter.set 'Duration_Stretch {1 / delivery.tempo:.3f})
(set! utterance (utt.synth (Utterance Text "{text}"))) (utt.save.wave utterance "{wav}" 'riff)
(mapcar (lambda (word) (format t "word %s %f %f\\n" (item.name word) (item.feat word 'word_start) (item.feat word 'word_end)))
  (utt.relation.items utterance 'Word))
(mapcar (lambda (phone) (format t "phone %s %f\\n" (item.name phone) (item.feat phone 'end)))
  (utt.relation.items utterance 'Segment))"""
            # festival does not create its scratch files from a sandboxed home: give it one.
            run = subprocess.run(
                ["festival", "--pipe"],
                input=script,
                capture_output=True,
                text=True,
                env={"HOME": folder, "PATH": "/usr/bin:/bin"},
            )
            if not wav.exists():
                raise VoiceError(f"festival failed for {text!r}: {run.stderr.strip()[:200]}")
            rate_hz, samples = wavfile.read(wav)
        spoken = [
            Span(name, float(start), float(end))
            for name, start, end in re.findall(r"word (\S+) (\S+) (\S+)", run.stdout)
        ]
        if len(spoken) != len(words):
            raise ReadingError(f"festival read {text!r} as {len(spoken)} words, not {len(words)}")
        for span, word in zip(spoken, words):
            span.name = word
        phones, begin = [], 0.0
        for name, end in re.findall(r"phone (\S+) (\S+)", run.stdout):
            phones.append(Span({"pau": "sil", "h#": "sil"}.get(name, name), begin, float(end)))
            begin = float(end)
        return at_16khz(Utterance(checked(samples.astype(np.float32) / 32_768, voice, text), spoken, phones), rate_hz)
