import unittest

import numpy as np

from accented import PEOPLE
from config import TEST_SHARDS
from voices import ACCENTED_SHARES, ENGINE_SHARES, FLITE_SHARES, SPLITS, TEST_VOICES, draw_speaker

WOMEN = {"lp", "dita", "lj"}
BEFORE = """train seen espeak slt festival skills drill rare espeak-rare slt-rare festival-rare long espeak-long slt-long
festival-long tier2 espeak-tier2 slt-tier2 festival-tier2""".split()


class Splits(unittest.TestCase):
    def test_what_is_new_leaves_the_places_of_the_others_alone(self):
        self.assertEqual(list(SPLITS[: len(BEFORE)]), BEFORE)

    def test_every_test_split_has_a_place_and_every_test_voice_a_split(self):
        self.assertLessEqual(set(TEST_SHARDS), set(SPLITS))
        self.assertLessEqual(set(TEST_VOICES), set(TEST_SHARDS))


class Speakers(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(1)

    def test_shares_are_of_everybody_and_half_of_the_foreigners_are_women(self):
        for shares in (ACCENTED_SHARES, ENGINE_SHARES, FLITE_SHARES):
            self.assertAlmostEqual(sum(shares.values()), 1)
        self.assertEqual(set(ACCENTED_SHARES), set(PEOPLE))
        self.assertGreaterEqual(sum(ACCENTED_SHARES[name] for name in WOMEN), 0.5)

    def test_training_hears_every_engine_and_none_of_the_held_out_voices(self):
        speakers = [draw_speaker(split, self.random) for split in ("train", "seen", "drill") for _ in range(700)]
        engines = [speaker.engine for speaker in speakers]
        for engine, share in ENGINE_SHARES.items():
            self.assertAlmostEqual(engines.count(engine) / len(engines), share, delta=0.04)
        heard = {(speaker.engine, speaker.voice.split("+")[0]) for speaker in speakers}
        self.assertEqual({voice for engine, voice in heard if engine == "accented"}, set(PEOPLE))
        self.assertFalse(heard & {("flite", "slt"), ("festival", "ked"), ("festival", "slt-hts")})

    def test_a_theme_is_by_the_voices_of_its_test(self):
        for split, voice in (("slt", "slt"), ("slt-rare", "slt"), ("festival-long", "ked"), ("hts", "slt-hts")):
            self.assertEqual(draw_speaker(split, self.random).voice, voice)


if __name__ == "__main__":
    unittest.main()
