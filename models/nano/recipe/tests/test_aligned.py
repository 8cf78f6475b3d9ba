"""The engines that tell no times, and the times that are found for them. Needs the packages that the recipe names."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

from aligned import PICO_VOICES, RHVOICE_VOICES, Aligner, Pico, RHVoice
from synthesis import RATE_HZ, Delivery, Flite, ReadingError, VoiceError, build_native

WORDS = "remind me in ten seconds and then count every animal".split()


class AlignedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        build_native(Path(folder.name))
        cls.flite = Flite(Path(folder.name))
        cls.aligner = Aligner(Path(folder.name), cls.flite)
        cls.engines = {
            **dict.fromkeys(RHVOICE_VOICES, RHVoice(Path(folder.name), cls.aligner)),
            **dict.fromkeys(PICO_VOICES, Pico(Path(folder.name), cls.aligner)),
        }

    def test_words_are_found_where_another_voice_is_known_to_have_them(self):
        for tempo in (0.8, 1.0, 1.25):
            known = self.flite.speak(WORDS, {4: ","}, "awb", Delivery(tempo=tempo))
            found = self.aligner.align(WORDS, {4: ","}, known.pcm)
            errors = [abs(one.end - other.end) for one, other in zip(found.words, known.words)]
            self.assertEqual([word.name for word in found.words], WORDS)
            self.assertLess(np.median(errors), 0.03)
            self.assertLess(max(errors), 0.12)

    def test_every_voice_says_the_words_in_their_order_and_in_its_sound(self):
        for voice, engine in self.engines.items():
            spoken = engine.speak(WORDS, {}, voice, Delivery())
            ends = [word.end for word in spoken.words]
            self.assertEqual([word.name for word in spoken.words], WORDS, voice)
            self.assertEqual(ends, sorted(ends), voice)
            inside = spoken.pcm[int(spoken.words[0].start * RATE_HZ) : int(ends[-1] * RATE_HZ)]
            self.assertGreater(np.sum(inside**2), 0.97 * np.sum(spoken.pcm**2), voice)

    def test_tempo_pitch_and_speed_are_those_that_were_asked_for(self):
        for voice in ("clb", "en-GB"):
            said = lambda delivery, speed=1.0: self.engines[voice].speak(WORDS, {}, voice, delivery, speed)
            plain = said(Delivery())
            self.assertAlmostEqual(len(said(Delivery(tempo=1.25)).pcm) / len(plain.pcm), 1 / 1.25, delta=0.06)
            self.assertAlmostEqual(_pitch(said(Delivery(pitch=1.3)).pcm) / _pitch(plain.pcm), 1.3, delta=0.12)
            faster = said(Delivery(), 1.2)  # the engine speaks slower and lower, and is played faster
            self.assertAlmostEqual(len(faster.pcm) / len(plain.pcm), 1, delta=0.06)
            self.assertAlmostEqual(_pitch(faster.pcm) / _pitch(plain.pcm), 1, delta=0.1)

    def test_what_is_not_there_is_an_error(self):
        for voice in ("clb", "en-GB"):
            with self.assertRaises(VoiceError):
                self.engines[voice].speak(WORDS, {}, "nobody", Delivery())
        with self.assertRaises(ReadingError):
            self.aligner.align(WORDS, {}, np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32))


def _pitch(pcm: np.ndarray) -> float:
    """The median fundamental of the loud frames, Hz."""
    found = []
    for start in range(0, len(pcm) - 800, 400):
        frame = pcm[start : start + 800]
        if np.abs(frame).max() > 0.2 * np.abs(pcm).max():
            likeness = np.correlate(frame, frame, "full")[799:]
            found.append(RATE_HZ / (40 + np.argmax(likeness[40:267])))
    return float(np.median(found))
