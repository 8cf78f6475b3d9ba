"""Two engines that tell no times of what they say: RHVoice and SVOX Pico. Their readings are aligned to Flite's of the same text.

Four of their voices are of people whom no other engine here has, three of them women: RHVoice's `bdl` and `clb`, and both of Pico's.
"""

import ctypes
from pathlib import Path

import numpy as np
from scipy.fft import dct

from features import HOP, log_mel
from synthesis import LIMIT_SAMPLES, RATE_HZ, Delivery, Flite, ReadingError, Span, Utterance, VoiceError, at_16khz, checked, written

RHVOICE_VOICES = ("alan", "bdl", "clb")
PICO_VOICES = ("en-US", "en-GB")
PICO_FOLDER = "/usr/share/pico/lang/"
REFERENCE = "rms"
"""Whose reading is aligned to. Flite's other voices, aligned to it, had the ends of their words within 8 ms (median; 90 %: 28 ms)."""
COEFFICIENTS = 13
STAY = 0.3
"""What it costs to stand still for a frame, in units of the features. From 0 to 1 it made no difference."""
FURTHEST = 4.2
"""A mean distance above this is another text. Readings of the same lay at 2.3 to 4.4, of others at 3.5 to 5: it finds the worst."""


class Aligner:
    """Finds words and phones in a reading that has no times."""

    def __init__(self, folder: Path, flite: Flite):
        self._library, self._flite = ctypes.CDLL(str(folder / "align.so")), flite
        self._library.align.restype = ctypes.c_float

    def align(self, words: list[str], marks: dict[int, str], pcm: np.ndarray) -> Utterance:
        """`pcm` at 16 kHz with the times of `words`; @throws ReadingError where it does not sound like them."""
        reference = self._flite.speak(words, marks, REFERENCE, Delivery())
        from_features, to_features = _features(reference.pcm), _features(pcm)
        place = np.zeros(len(from_features), np.int32)
        pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
        distance = self._library.align(
            pointer(from_features),
            len(from_features),
            pointer(to_features),
            len(to_features),
            COEFFICIENTS,
            ctypes.c_float(STAY),
            pointer(place),
        )
        if not 0 <= distance < FURTHEST:
            raise ReadingError(f"no reading of {' '.join(words)!r}: {distance:.1f} from it")
        grid = np.arange(len(place)) * (HOP / RATE_HZ)
        heard = lambda seconds: float(np.interp(seconds, grid, place * (HOP / RATE_HZ)))
        moved = lambda spans: [Span(span.name, heard(span.start), heard(span.end)) for span in spans]
        return Utterance(pcm, moved(reference.words), moved(reference.phones))


class RHVoice:
    """RHVoice through its C library: statistical voices of three people."""

    def __init__(self, folder: Path, aligner: Aligner):
        self._library, self._aligner = ctypes.CDLL(str(folder / "rhvoice_bridge.so")), aligner
        if self._library.bridge_open() <= 0:
            raise VoiceError("RHVoice could not be opened")
        self._samples = np.zeros(LIMIT_SAMPLES, np.int16)

    def speak(
        self, words: list[str], marks: dict[int, str], voice: str, delivery: Delivery, speed: float = 1.0
    ) -> Utterance:
        """@throws VoiceError if the voice is unknown or silent; ReadingError if it read other words."""
        text, _ = written(words, marks)
        rate = ctypes.c_int()
        count = self._library.bridge_speak(
            text.encode(),
            voice.encode(),
            ctypes.c_double(delivery.tempo / speed),
            ctypes.c_double(delivery.pitch / speed),
            self._samples.ctypes.data_as(ctypes.c_void_p),
            LIMIT_SAMPLES,
            ctypes.byref(rate),
        )
        if count < 0:
            raise VoiceError(f"RHVoice has no voice {voice!r}")
        pcm = checked(self._samples[:count].astype(np.float32) / 32_768, voice, text)
        pcm = at_16khz(Utterance(pcm, [], []), rate.value).pcm
        return at_16khz(self._aligner.align(words, marks, pcm), RATE_HZ, speed)


class Pico:
    """SVOX Pico through its C library: small voices of two women."""

    def __init__(self, folder: Path, aligner: Aligner):
        self._library, self._aligner = ctypes.CDLL(str(folder / "pico_bridge.so")), aligner
        if self._library.bridge_open(PICO_FOLDER.encode()) != len(PICO_VOICES):
            raise VoiceError(f"SVOX Pico's voices are not all in {PICO_FOLDER}")
        self._samples = np.zeros(LIMIT_SAMPLES, np.int16)

    def speak(
        self, words: list[str], marks: dict[int, str], voice: str, delivery: Delivery, speed: float = 1.0
    ) -> Utterance:
        """@throws VoiceError if the voice is unknown or silent; ReadingError if it read other words."""
        if voice not in PICO_VOICES:
            raise VoiceError(f"SVOX Pico has no voice {voice!r}")
        text, _ = written(words, marks)
        percent = lambda factor, low, high: round(100 * float(np.clip(factor, low, high)))
        pitch, tempo = percent(delivery.pitch / speed, 0.5, 2), percent(delivery.tempo / speed, 0.3, 3)
        count = self._library.bridge_speak(
            f'<pitch level="{pitch}"><speed level="{tempo}">{text}</speed></pitch>'.encode(),
            PICO_VOICES.index(voice),
            self._samples.ctypes.data_as(ctypes.c_void_p),
            LIMIT_SAMPLES,
        )
        pcm = checked(self._samples[: max(count, 0)].astype(np.float32) / 32_768, voice, text)
        return at_16khz(self._aligner.align(words, marks, pcm), RATE_HZ, speed)


def _features(pcm: np.ndarray) -> np.ndarray:
    """What two voices have in common: cepstra of frames 10 ms apart without their mean, [frames, COEFFICIENTS] f32."""
    mel = log_mel(np.pad(pcm, (0, -len(pcm) % HOP)))
    cepstra = dct(mel, axis=1, norm="ortho")[:, :COEFFICIENTS]
    loud = cepstra[:, 0] > cepstra[:, 0].max() - 6
    return np.ascontiguousarray(cepstra - np.where(np.arange(COEFFICIENTS) > 0, cepstra[loud].mean(axis=0), cepstra[:, 0].max()), np.float32)
