import sys
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import numpy as np

import accented
from accented import (
    DATABASES,
    PAUSE,
    PEOPLE,
    Accent,
    Accented,
    Person,
    Reader,
    Segment,
    time_segments,
    transitions,
    without_clicks,
    without_hum,
)
from synthesis import Delivery, Flite, ReadingError, Span, VoiceError, build_native
from vocabulary import PHONES

MISSING = [person.package for person in PEOPLE.values() if not (DATABASES / person.database).exists()]
NARROW = {"p": "p", "aa": "a | e", "th": "t s", "ay": "a+i", "hh": "-"}


def pairs(text):
    return frozenset(tuple(pair.split("-")) for pair in text.split())


class Phones(unittest.TestCase):
    def test_everybody_has_something_for_every_english_phone(self):
        for name, person in PEOPLE.items():
            self.assertEqual({*person.phones, "sil"}, set(PHONES), name)

    def test_only_what_the_database_joins_is_said(self):
        accent = Accent(NARROW, pairs("#-p p-e e-t t-# a-#"), 0)
        self.assertEqual(accent.say(["sil", "p", "aa", "th", "sil"]), [("#",), ("p",), ("e",), ("t",), ("#",)])

    def test_what_cannot_be_said_is_not_said_in_part(self):
        self.assertIsNone(Accent(NARROW, pairs("#-p p-a a-#"), 0).say(["sil", "th", "sil"]))

    def test_two_phones_that_never_meet_are_parted_by_a_short_silence(self):
        accent = Accent(NARROW, pairs("#-p p-# #-t t-#"), 0)
        self.assertEqual(accent.say(["sil", "p", "th", "sil"]), [("#",), ("p",), ("#", "t"), ("#",)])

    def test_a_speaker_is_consistent_and_speakers_differ(self):
        said = {
            tuple(Accent(NARROW, pairs("#-t t-# #-s s-# t-t s-s t-s s-t"), seed).say(["sil", "th", "th", "sil"])[1:3])
            for seed in range(20)
        }
        self.assertEqual(said, {(("t",), ("t",)), (("s",), ("s",))})

    def test_two_phones_share_the_time_of_one_and_of_nothing_the_next_takes_it(self):
        phones = [Span("sil", 0, 0.1), Span("hh", 0.1, 0.2), Span("ay", 0.2, 0.4)]
        segments, counts = time_segments(phones, [("#",), (), ("a", "i")])
        self.assertEqual([segment.name for segment in segments], ["#", "a", "i"])
        np.testing.assert_allclose([segment.seconds for segment in segments], [0.1, 0.15, 0.15])
        self.assertEqual(counts, [1, 1, 3])

    def test_a_missing_database_names_its_package(self):
        nobody = Person("festvox-nobody", "voice_nobody", "nowhere/nobody.group", 100, NARROW, 1.0)
        with self.assertRaisesRegex(VoiceError, "festvox-nobody"):
            transitions(nobody)


class Sound(unittest.TestCase):
    def test_a_lone_peak_is_cut_and_speech_is_left_alone(self):
        wave = 0.2 * np.sin(np.arange(16_000) / 20).astype(np.float32)
        clicked = wave.copy()
        clicked[8_000:8_002] = 0.9
        np.testing.assert_allclose(without_clicks(wave, 16_000), wave)
        cut = without_clicks(clicked, 16_000)
        self.assertLess(np.abs(cut).max(), 0.45)
        np.testing.assert_allclose(np.delete(cut, [8_000, 8_001]), np.delete(wave, [8_000, 8_001]))

    def test_pauses_are_quiet_and_phones_are_as_they_were(self):
        pcm = np.full(16_000, 0.5, np.float32)
        quiet = without_hum(pcm, 16_000, [Span("sil", 0, 0.3), Span("aa", 0.3, 0.7), Span("sil", 0.7, 0.98)])
        self.assertLess(quiet[3_200], 0.06)
        self.assertLess(quiet[-1], 0.06)
        np.testing.assert_allclose(quiet[4_800:11_200], 0.5, atol=1e-3)


FESTIVAL = """
import pathlib, sys, time
{begin}
for line in sys.stdin:
    if "told" in line:
        print("{said}\\ntold " + line.split("told ")[1].split("\\\\n")[0], flush=True)
"""


class Protocol(unittest.TestCase):
    """A festival of a few lines stands in for the real one."""

    def reader(self, begin="", said=""):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        script = Path(folder.name) / "festival.py"
        script.write_text(FESTIVAL.format(begin=begin.replace("FOLDER", repr(folder.name)), said=said))
        self.enterContext(patch.object(accented, "FESTIVAL", [sys.executable, str(script)]))
        self.enterContext(patch.object(accented, "transitions", lambda person: frozenset()))
        reader = Reader("lp")
        self.addCleanup(reader.close)
        return reader, Path(folder.name)

    def test_one_that_hangs_is_started_again_and_then_given_up(self):
        starts = "open(FOLDER + '/starts', 'a').write('x'); time.sleep(60)"
        reader, folder = self.reader(starts)
        with patch.object(accented, "PATIENCE_SECONDS", 0.4), self.assertRaisesRegex(VoiceError, "twice"):
            reader.read([Segment(PAUSE, 0.1, [])])
        self.assertEqual((folder / "starts").read_text(), "xx")

    def test_one_that_dies_is_a_voice_error(self):
        reader, _ = self.reader("sys.exit(1)")
        with self.assertRaisesRegex(VoiceError, "twice"):
            reader.read([Segment(PAUSE, 0.1, [])])

    def test_a_diphone_that_festival_fills_up_is_refused(self):
        reader, _ = self.reader(said="UniSyn: using default diphone #-# for l-#")
        with self.assertRaisesRegex(ReadingError, "default diphone"):
            reader.read([Segment(PAUSE, 0.1, [])])

    def test_closing_twice_is_harmless(self):
        reader, _ = self.reader()
        with self.assertRaises(ReadingError):  # it says nothing
            reader.read([Segment(PAUSE, 0.1, [])])
        reader.close()
        reader.close()


@unittest.skipIf(MISSING, f"not installed: {' '.join(MISSING)}")
class Voices(unittest.TestCase):
    WORDS = "please count the animals there is a young wolf with a fish".split()

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        build_native(Path(cls._folder.name))
        cls._voices = Accented(Flite(Path(cls._folder.name)))

    @classmethod
    def tearDownClass(cls):
        cls._voices.close()
        cls._folder.cleanup()

    def test_everybody_says_the_words_where_their_times_are(self):
        for name in PEOPLE:
            with self.subTest(name):
                spoken = self._voices.speak(self.WORDS, {3: ","}, f"{name}+1", Delivery())
                self.assertEqual([word.name for word in spoken.words], self.WORDS)
                self.assertLessEqual({phone.name for phone in spoken.phones}, set(PHONES))
                level = lambda start, end: np.sqrt(np.mean(spoken.pcm[int(start * 16_000) : int(end * 16_000)] ** 2))
                for word in spoken.words:
                    self.assertGreater(level(word.start, word.end), 0.004, word)
                pause = spoken.words[3].end, spoken.words[4].start
                self.assertLess(level(pause[0] + 0.05, pause[1] - 0.03), 0.004)
                self.assertTrue(0.05 < np.abs(spoken.pcm).max() < 0.95)

    def test_who_is_higher_and_plays_faster_is_higher_and_keeps_the_tempo(self):
        plain = self._voices.speak(self.WORDS, {}, "dita+1", Delivery())
        fast = self._voices.speak(self.WORDS, {}, "dita+1", Delivery(), speed=1.2)
        slow = self._voices.speak(self.WORDS, {}, "dita+1", Delivery(tempo=0.8))
        self.assertAlmostEqual(fast.words[-1].end / plain.words[-1].end, 1, delta=0.05)
        self.assertAlmostEqual(slow.words[-1].end / plain.words[-1].end, 1.25, delta=0.05)

    def test_nobody_else_speaks(self):
        with self.assertRaises(VoiceError):
            self._voices.speak(["hello"], {}, "ked+1", Delivery())


if __name__ == "__main__":
    unittest.main()
