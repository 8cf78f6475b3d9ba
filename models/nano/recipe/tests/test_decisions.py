import unittest

import numpy as np

from bundle import own_turns
from decoding import heard_words, sustained
from metrics import Session, grid_f1, own_echo, wilson, yield_point
from plots import lower_envelope
from training import rate_factor
from vocabulary import FLOOR, FLOOR_INDEX


class Decoding(unittest.TestCase):
    def test_a_word_over_two_slots_is_heard_once(self):
        probabilities = np.tile([1.0, 0.0, 0.0], (12, 1))
        probabilities[[2, 3, 10]] = [0.1, 0.0, 0.9]
        self.assertEqual(
            [(word.name, round(word.seconds, 2)) for word in heard_words(probabilities, ["", "a", "b"], 0.5)],
            [("b", 0.12), ("b", 0.44)],
        )

    def test_two_slots_that_are_half_sure_of_one_word_make_it_sure(self):
        probabilities = np.tile([1.0, 0.0, 0.0], (12, 1))
        probabilities[2], probabilities[4] = [0.7, 0.0, 0.3], [0.7, 0.0, 0.3]
        probabilities[8], probabilities[9] = [0.6, 0.4, 0.0], [0.6, 0.0, 0.4]
        self.assertEqual(
            [(word.name, round(word.seconds, 2)) for word in heard_words(probabilities, ["", "a", "b"], 0.5)],
            [("b", 0.2)],
        )

    def test_sustained_needs_every_micro_turn_of_its_span(self):
        self.assertEqual(sustained(np.array([0.9, 0.9, 0.1, 0.9]), 0.5, 2).tolist(), [False, True, False, False])

    def test_short_playback_is_no_turn_of_the_agent(self):
        self.assertEqual(own_turns(np.array([1, 1, 0, 1, 1, 1, 1, 1, 1, 0])).tolist(), [0, 0, 0, 1, 1, 1, 1, 1, 1, 0])


class Measures(unittest.TestCase):
    def test_a_yield_in_a_pause_is_false_and_one_after_the_turn_has_a_gap(self):
        events = [{"kind": "hold", "start": 1.0, "end": 2.0}, {"kind": "yield", "start": 4.1, "end": 6.0}]
        session = Session(np.zeros(50), [], events)
        decided = np.zeros(50, bool)
        decided[[7, 21]] = True
        point = yield_point([session], [decided])
        self.assertEqual((point["falseYield"]["value"], point["missed"]["value"]), (1.0, 0.0))
        self.assertAlmostEqual(point["gap"], 0.3)

    def test_a_missed_turn_is_a_gap_without_end(self):
        events = [{"kind": "yield", "start": start, "end": start + 2} for start in (1.1, 4.1, 7.1)]
        session = Session(np.zeros(60), [], events)
        decided = np.zeros(60, bool)
        decided[[6]] = True
        point = yield_point([session], [decided])
        self.assertEqual((point["gap"], point["missed"]["n"]), (None, 3))

    def test_a_decision_may_be_late_and_an_unsure_one_is_none(self):
        labels, shares = np.zeros(20, int), np.tile([1.0, 0.0, 0.0], (20, 1))
        labels[[5, 12]] = 1, 2
        shares[6:8], shares[15] = [0.1, 0.9, 0.0], [0.4, 0.0, 0.6]  # late and right; too late
        session = Session(np.zeros(20), [], [], {"act": labels}, {"act": shares})
        self.assertAlmostEqual(grid_f1([session], "act", 0.5), 2 / 4)
        self.assertAlmostEqual(grid_f1([session], "act", 0.7), 2 / 3)

    def test_an_echo_stops_the_agent_only_where_nobody_else_speaks(self):
        play, floor, shares = np.zeros(30, int), np.zeros(30, int), np.zeros((30, len(FLOOR)))
        barge_in = FLOOR_INDEX["barge-in"]
        play[0:5], play[6:9], play[10:20] = 1, 1, 1
        floor[17:20] = barge_in
        shares[[2, 7, 18, 25], barge_in] = 0.9  # alone; alone for less than a second; somebody speaks; nothing is played
        session = Session(floor, [], [], {"play": play}, {"floor": shares})
        stopped = own_echo([session], barge_in, 0.8)
        self.assertEqual((stopped["value"], stopped["n"]), (0.5, 2))
        self.assertEqual(own_echo([session], barge_in, 0.95)["value"], 0)

    def test_an_interval_holds_its_share_and_no_events_say_nothing(self):
        low, high = wilson(9, 10)
        self.assertTrue(low < 0.9 < high)
        self.assertEqual(wilson(0, 0), (0.0, 1.0))

    def test_the_envelope_leaves_out_points_that_are_worse_in_both(self):
        point = lambda gap, false: {"gap": gap, "falseYield": {"value": false}}
        self.assertEqual(lower_envelope([point(0.3, 0.1), point(0.2, 0.3), point(0.4, 0.2)]), [(0.2, 0.3), (0.3, 0.1)])


class Schedule(unittest.TestCase):
    def test_the_rate_warms_up_stays_and_decays_over_the_last_45_percent(self):
        self.assertLess(rate_factor(0.0, 0, 60), 0.05)
        self.assertEqual(rate_factor(0.5, 100, 60), 1.0)
        self.assertAlmostEqual(rate_factor(0.775, 100, 60), 0.5)
        self.assertGreater(rate_factor(1.0, 100, 60), 0)


if __name__ == "__main__":
    unittest.main()
