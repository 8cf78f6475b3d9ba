import unittest

import numpy as np

from stage import heard_at
from synthesis import RATE_HZ, Span, Utterance
from timeline import Timeline


def speech(words, seconds=2.0):
    return Utterance(
        np.ones(int(seconds * RATE_HZ), np.float32), words, [Span("aa", word.start, word.end) for word in words]
    )


class Perform(unittest.TestCase):
    def test_the_first_word_starts_where_it_was_asked_to(self):
        timeline = Timeline(10)
        words = timeline.perform(speech([Span("one", 0.3, 0.6), Span("two", 0.6, 1.0)]), 4.0, {}, timeline.user)
        self.assertAlmostEqual(words[0].start, 4.0)
        self.assertAlmostEqual(words[1].end, 4.7)

    def test_a_pause_moves_what_follows_and_is_silent(self):
        timeline = Timeline(10)
        words = timeline.perform(speech([Span("one", 0.0, 0.5), Span("two", 0.5, 1.0)]), 1.0, {0: 3.0}, timeline.user)
        self.assertAlmostEqual(words[1].start, 4.5)
        self.assertFalse(timeline.user[int(1.6 * RATE_HZ) : int(4.4 * RATE_HZ)].any())

    def test_sound_outside_the_session_is_cut_off(self):
        timeline = Timeline(2)
        timeline.put(timeline.user, np.ones(RATE_HZ, np.float32), 1.5)
        timeline.put(timeline.user, np.ones(RATE_HZ, np.float32), -0.5)
        self.assertEqual(int(timeline.user.sum()), RATE_HZ)


class Marks(unittest.TestCase):
    def test_a_gap_between_words_is_a_hold_and_a_short_one_is_not(self):
        timeline = Timeline(10)
        timeline.mark_speech([Span("a", 0, 1), Span("b", 1.1, 2), Span("c", 3, 4)], "speaking")
        self.assertEqual(
            [(span.name, span.start, span.end) for span in timeline.floor],
            [("speaking", 0, 2), ("holding", 2, 3), ("speaking", 3, 4)],
        )
        self.assertEqual([(event.kind, event.start, event.end) for event in timeline.events], [("hold", 2, 3)])

    def test_an_agent_word_waits_for_the_transcript(self):
        self.assertAlmostEqual(heard_at(Span("horse", 0, 0.5)), 0.64)


if __name__ == "__main__":
    unittest.main()
