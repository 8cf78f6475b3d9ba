import tempfile
import unittest
from pathlib import Path

from synthesis import Delivery, Flite, ReadingError, build_native


class Reading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        build_native(Path(cls._folder.name))
        cls._flite = Flite(Path(cls._folder.name))

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def test_a_contraction_is_one_word_that_lasts_as_long_as_both_parts(self):
        words = "let's see what's near and i'll count".split()
        spoken = self._flite.speak(words, {}, "kal", Delivery()).words
        self.assertEqual([word.name for word in spoken], words)
        for word, following in zip(spoken, spoken[1:]):
            self.assertAlmostEqual(word.end, following.start, places=3)

    def test_what_is_spelt_letter_by_letter_is_refused(self):
        with self.assertRaises(ReadingError):
            self._flite.speak("hmm a dog".split(), {}, "kal", Delivery())


if __name__ == "__main__":
    unittest.main()
