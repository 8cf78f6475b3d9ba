import unittest

import numpy as np

from labels import IGNORE, act_turns, floor_turns, play_turns, say_turns, turn_of, typed_turns, word_slots
from synthesis import Span
from timeline import Due
from vocabulary import ACT_INDEX, FLOOR_INDEX, SAY_INDEX, word_class


class Grid(unittest.TestCase):
    def test_a_boundary_belongs_to_the_micro_turn_that_begins_there(self):
        self.assertEqual([turn_of(seconds) for seconds in (0.0, 0.19, 0.2, 0.6, 1.4)], [0, 0, 1, 3, 7])


class Words(unittest.TestCase):
    def test_a_word_is_written_three_slots_after_its_end(self):
        grid = word_slots([Span("horse", 0.2, 0.5)], 25)
        self.assertEqual({int(slot): int(grid[slot]) for slot in np.flatnonzero(grid)}, {15: word_class("horse")})

    def test_words_that_end_together_take_slots_in_turn(self):
        grid = word_slots([Span("it", 0.3, 0.41), Span("is", 0.41, 0.42)], 25)
        self.assertEqual(grid[13:15].tolist(), [word_class("it"), word_class("is")])

    def test_a_word_that_ends_too_late_is_not_written(self):
        self.assertFalse(word_slots([Span("horse", 0.8, 0.95)], 25).any())

    def test_plurals_share_a_class_and_strangers_are_unknown(self):
        self.assertEqual(word_class("horses"), word_class("horse"))
        self.assertEqual(word_class("zapmilstou"), 1)


class Floor(unittest.TestCase):
    def test_the_state_is_read_shortly_before_the_end_of_the_micro_turn(self):
        grid = floor_turns([Span("speaking", 0.0, 0.33), Span("yielded", 0.33, 0.8)], 5)
        expected = ["speaking", "yielded", "yielded", "yielded", "silent"]
        self.assertEqual(grid.tolist(), [FLOOR_INDEX[name] for name in expected])

    def test_a_later_mark_overrides_an_earlier_one(self):
        grid = floor_turns([Span("speaking", 0, 1), Span("correcting", 0.4, 0.6)], 5)
        self.assertEqual(grid[2], FLOOR_INDEX["correcting"])
        self.assertEqual(grid[3], FLOOR_INDEX["speaking"])

    def test_playback_counts_where_it_fills_the_middle(self):
        self.assertEqual(play_turns([Span("agent", 0.25, 0.65)], 5).tolist(), [0, 1, 1, 0, 0])


class Decisions(unittest.TestCase):
    def test_silence_around_a_due_word_is_neither_right_nor_wrong(self):
        grid = say_turns([Due("reminder", 1.0, early=0.2, late=0.2)], 8)
        self.assertEqual(grid.tolist(), [0, 0, 0, 0, IGNORE, SAY_INDEX["reminder"], IGNORE, 0])

    def test_a_second_word_in_the_grace_of_the_first_stays_due(self):
        grid = say_turns([Due("one", 0.4), Due("two", 0.6)], 5)
        self.assertEqual(grid[2:4].tolist(), [SAY_INDEX["one"], SAY_INDEX["two"]])

    def test_a_word_due_after_the_session_is_left_out(self):
        self.assertFalse((say_turns([Due("one", 9.0)], 5) > 0).any())

    def test_an_act_may_be_taken_in_either_of_two_micro_turns(self):
        self.assertEqual(
            act_turns([Due("delegate", 0.45)], 5).tolist(), [0, 0, ACT_INDEX["delegate"], ACT_INDEX["delegate"], 0]
        )

    def test_long_typed_text_goes_on_in_the_next_micro_turn(self):
        grid = typed_turns([(0.2, ["count"] * 9)], 4)
        self.assertEqual((grid > 0).sum(axis=1).tolist(), [0, 8, 1, 0])


if __name__ == "__main__":
    unittest.main()
