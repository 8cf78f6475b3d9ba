import unittest

import numpy as np

from melody import HIGHEST_HZ, LOWEST_HZ, PITCHES, SLOT_SAMPLES, melody

TIME = np.arange(16_000) / 16_000
ALL = np.geomspace(LOWEST_HZ, HIGHEST_HZ, PITCHES)


def voice(hz, level=0.1):
    """A second of something with twenty harmonics, of which the lowest are weak."""
    return (level * sum(np.sin(2 * np.pi * hz * k * TIME) * min(1, k / 3) / 20 for k in range(1, 21))).astype(np.float32)


class Melody(unittest.TestCase):
    def test_the_likeliest_pitch_is_that_of_the_voice(self):
        for hz in (75, 100, 140, 210, 320):
            heard = ALL[melody(voice(hz))[2:-1].argmax(-1)]
            self.assertLess(np.abs(np.log2(heard / hz)).max(), 1 / 12, hz)

    def test_it_is_the_same_for_a_quiet_voice(self):
        loud, quiet = (melody(voice(120, level))[2:] for level in (0.3, 0.03))
        self.assertLess(np.abs(loud - quiet).max(), 0.1)

    def test_a_slot_knows_nothing_of_what_comes_after_it(self):
        whole = voice(120)
        cut = whole.copy()
        cut[6 * SLOT_SAMPLES :] = 0
        self.assertTrue(np.array_equal(melody(whole)[:6], melody(cut)[:6]))
        self.assertFalse(np.array_equal(melody(whole)[6], melody(cut)[6]))

    def test_silence_has_none(self):
        silence = melody(np.zeros(8 * SLOT_SAMPLES, np.float32))
        self.assertEqual(silence.shape, (8, PITCHES))
        self.assertLess(silence.max(), melody(voice(120))[5].max() / 2)


if __name__ == "__main__":
    unittest.main()
