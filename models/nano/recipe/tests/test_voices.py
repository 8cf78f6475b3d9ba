"""Who speaks, and that nobody speaks without a sound. Needs the packages that the recipe names."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

from synthesis import RATE_HZ, SILENT_PEAK, Delivery, Espeak, Festival, Flite, VoiceError, build_native, checked
from voices import ACCENTS, HELD_OUT_VARIANTS, TEST_THEMES, THEMES, VARIANTS, draw_other, draw_speaker

WORDS = "remind me in ten seconds".split()
TRAINED = ("train", "seen", "skills", "drill", *THEMES, *(f"seen-{theme}" for theme in TEST_THEMES))
DRAWN, DRAWN_OF_OTHERS = 2_000, 200


class HeldOutVoices(unittest.TestCase):
    def assert_trainable(self, speaker):
        self.assertNotEqual(speaker.engine, "festival")
        self.assertNotEqual(speaker.voice.lower(), "slt")
        _, _, variant = speaker.voice.partition("+")
        self.assertNotIn(variant, HELD_OUT_VARIANTS)

    def test_nobody_is_trained_on_whom_the_tests_are_by(self):
        for split in TRAINED:
            random = np.random.default_rng(6)
            drawn = [draw_speaker(split, random) for _ in range(DRAWN if split == "train" else DRAWN_OF_OTHERS)]
            self.assertEqual({speaker.engine for speaker in drawn}, {"espeak", "flite", "rhvoice", "pico"}, split)
            for speaker in drawn:
                self.assert_trainable(speaker)

    def test_nor_are_they_who_is_heard_beside_a_speaker(self):
        random = np.random.default_rng(6)
        for _ in range(DRAWN_OF_OTHERS):
            self.assert_trainable(draw_other(random))

    def test_the_tests_are_by_them_alone(self):
        random = np.random.default_rng(6)
        for theme in ("", *(f"-{theme}" for theme in TEST_THEMES)):
            self.assertEqual(draw_speaker(f"slt{theme}", random).voice, "slt")
            self.assertEqual(draw_speaker(f"festival{theme}", random).engine, "festival")
            for _ in range(20):
                speaker = draw_speaker(f"espeak{theme}", random)
                self.assertEqual(speaker.engine, "espeak")
                self.assertIn(speaker.voice.partition("+")[2], HELD_OUT_VARIANTS)


class SilentVoices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        build_native(Path(folder.name))
        cls.espeak, cls.flite = Espeak(Path(folder.name)), Flite(Path(folder.name))

    def test_an_unknown_voice_is_an_error_and_not_the_voice_before(self):
        known = "en-us+m1"
        self.espeak.speak(WORDS, {}, known, Delivery())
        for unknown in ("en-us+nobody", "en-us+", "xx-nowhere"):
            for _ in range(2):
                with self.assertRaisesRegex(VoiceError, "no voice"):
                    self.espeak.speak(WORDS, {}, unknown, Delivery())
        self.assertTrue(len(self.espeak.speak(WORDS, {}, known, Delivery()).pcm))
        for engine in (self.flite, Festival()):
            with self.assertRaisesRegex(VoiceError, "no voice"):
                engine.speak(WORDS, {}, "nobody", Delivery())

    def test_every_espeak_voice_that_is_drawn_is_known(self):
        variants = [variant for variant in (*VARIANTS, *HELD_OUT_VARIANTS) if variant != "plain"]
        for voice in (*ACCENTS, *(f"en+{variant}" for variant in variants)):
            self.espeak.speak(["ten"], {}, voice, Delivery())

    def test_a_recording_in_which_nothing_can_be_heard_is_an_error(self):
        hum = np.sin(np.arange(RATE_HZ)).astype(np.float32)
        for silent in (np.zeros(0, np.float32), np.zeros(RATE_HZ, np.float32), hum * SILENT_PEAK / 2):
            with self.assertRaisesRegex(VoiceError, "made no sound"):
                checked(silent, "somebody", "some words")
        self.assertIs(checked(hum, "somebody", "some words"), hum)


if __name__ == "__main__":
    unittest.main()
