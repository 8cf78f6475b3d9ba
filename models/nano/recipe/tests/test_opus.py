import unittest

import numpy as np

from opus import PACKET, through_opus

TIME = np.arange(16_000) / 16_000
VOICE = (0.1 * sum(np.sin(2 * np.pi * 150 * k * TIME) / k for k in range(1, 15))).astype(np.float32)
NONE = np.zeros(0, bool)


class Opus(unittest.TestCase):
    def test_speech_comes_out_when_it_went_in_and_much_as_it_was(self):
        out = through_opus(VOICE, 32_000, NONE)
        self.assertEqual(out.shape, VOICE.shape)
        self.assertGreater(np.corrcoef(out, VOICE)[0, 1], 0.8)
        inner = slice(400, 15_000)
        at = max(range(-40, 41), key=lambda shift: np.corrcoef(np.roll(out, shift)[inner], VOICE[inner])[0, 1])
        self.assertLess(abs(at), 4)

    def test_fewer_bits_are_worse(self):
        error = lambda bits: float(np.square(through_opus(VOICE, bits, NONE) - VOICE).mean())
        self.assertLess(error(40_000), error(6_000))

    def test_a_lost_packet_is_concealed_and_many_are_silence(self):
        lost = np.zeros(50, bool)
        lost[10] = lost[30:] = True
        out = through_opus(VOICE, 24_000, lost)
        power = lambda packet: float(np.square(out[packet * PACKET : (packet + 1) * PACKET]).mean())
        self.assertGreater(power(10), 0.1 * power(8))
        self.assertLess(power(48), 0.1 * power(8))

    def test_a_length_that_is_no_whole_number_of_packets_stays(self):
        self.assertEqual(len(through_opus(VOICE[:1_001], 16_000, NONE)), 1_001)


if __name__ == "__main__":
    unittest.main()
