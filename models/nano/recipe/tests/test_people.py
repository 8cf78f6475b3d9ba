import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import numpy as np
from scipy.io import wavfile

import people


class Recordings(unittest.TestCase):
    def test_what_is_missing_is_named_with_how_to_get_it(self):
        with tempfile.TemporaryDirectory() as folder:
            missing = {"alsa-utils": Path(folder), "tuxpaint-stamps-default": Path(folder) / "none"}
            with patch.object(people, "PACKAGES", missing), self.assertRaisesRegex(SystemExit, "apt-get install tuxpaint-stamps-default$"):
                list(people.clips())

    def test_the_silence_around_a_recording_is_cut_off_and_it_is_as_loud_as_speech_in_a_session(self):
        second = people.RATE_HZ
        sound = np.concatenate([np.zeros(second), np.full(second, 0.5), np.zeros(second)]).astype(np.float32)
        cut = people.levelled(sound)
        self.assertAlmostEqual(len(cut) / second, 1 + 2 * people.EDGE_SECONDS, places=2)
        self.assertAlmostEqual(float(cut.max()), people.SPEECH_LEVEL, places=3)

    def test_silence_and_what_is_no_sound_are_errors(self):
        with self.assertRaisesRegex(SystemExit, "silent"):
            people.levelled(np.zeros(people.RATE_HZ, np.float32))
        with tempfile.NamedTemporaryFile(suffix=".ogg") as file, self.assertRaises(SystemExit):
            file.write(b"no sound")
            file.flush()
            people.decoded(Path(file.name))

    def test_a_recording_is_read_at_16_khz(self):
        with tempfile.TemporaryDirectory() as folder:
            people.save(Path(folder) / "new" / "1.wav", np.full(1_600, 0.25, np.float32))
            rate, sound = wavfile.read(Path(folder) / "new" / "1.wav")
        self.assertEqual((rate, len(sound), int(sound[0])), (people.RATE_HZ, 1_600, 8_191))


if __name__ == "__main__":
    unittest.main()
