import unittest

import numpy as np

from drafts import COMMIT, draft_session, utterances
from labels import TYPED_TOKENS
from vocabulary import ACT_INDEX, FLOOR_INDEX, WORDS

LETTERS = {".": "silent", "S": "speaking", "h": "holding", "Y": "yielded", "e": "elsewhere"}


def session(floor, playing=()):
    turns = len(floor)
    play = np.zeros(turns, np.int64)
    play[list(playing)] = 1
    return np.array([FLOOR_INDEX[LETTERS[letter]] for letter in floor]), play, np.zeros((turns, TYPED_TOKENS), np.int64), np.zeros(turns, np.int64)


def told(typed, mark):
    return [int(turn) for turn in np.flatnonzero((typed == WORDS.index(mark)).any(1))]


class Drafts(unittest.TestCase):
    def each(self, floor, **more):
        for seed in range(60):
            made = session(floor, **more)
            draft_session(*made, np.random.default_rng(seed))
            yield made

    def test_one_that_comes_after_the_end_is_committed_in_the_next_micro_turn(self):
        late = 0
        for _, _, typed, act in self.each("..SSSSSSSSYYYYYYYYYY........."):
            end = [turn for turn in told(typed, "<draft>") if turn >= 10]
            self.assertEqual(len(end), 1)
            self.assertEqual(list(np.flatnonzero(act == COMMIT)), [end[0] + 1, end[0] + 2])
            late += end[0] > 13
        self.assertGreater(late, 10)

    def test_one_that_comes_into_a_pause_is_void_when_they_go_on_and_never_committed_there(self):
        waited = 0
        for _, _, typed, act in self.each("..SSSSSS" + "h" * 14 + "SSSSSSYYYYYYYYYY.........."):
            pause = [turn for turn in told(typed, "<draft>") if 8 <= turn < 22]
            waited += len(pause) > 1
            self.assertFalse((act[:28] == COMMIT).any())
            if pause:
                self.assertTrue(any(22 <= turn < 26 for turn in told(typed, "<dropped>")))
        self.assertGreater(waited, 10)

    def test_pauses_and_ends_are_told_of_as_often(self):
        pauses = ends = 0
        for _, _, typed, _ in self.each("..SSSSSS" + "h" * 10 + "SSSSSS" + "Y" * 10 + "." * 6):
            pauses += any(8 <= turn < 18 for turn in told(typed, "<draft>"))
            ends += any(turn >= 24 for turn in told(typed, "<draft>"))
        self.assertEqual(pauses, ends)

    def test_nothing_is_committed_where_the_agent_or_somebody_else_is_heard_first(self):
        for floor, playing in (("..SSSSSSSSYYYYYYYYYYYYYYYYYY", range(11, 28)), ("..SSSSSSSSYeeeeeeeeeeeeeeeeee", ())):
            for _, _, typed, act in self.each(floor, playing=playing):
                self.assertFalse((act == COMMIT).any())

    def test_a_question_that_is_drafted_is_not_delegated_any_more(self):
        for seed in range(40):
            floor, play, typed, act = session("..SSSSSSSSYYYYYYYYYY.........")
            act[11:13] = ACT_INDEX["delegate"]
            draft_session(floor, play, typed, act, np.random.default_rng(seed))
            self.assertEqual(int((act == COMMIT).sum()), 2)

    def test_what_the_agent_talks_over_is_no_utterance_of_its_own(self):
        floor, play, _, _ = session("..SSSSSSSS..SSSSSSYYY", playing=range(2, 10))
        self.assertEqual(utterances(floor, play), [(12, 18)])


if __name__ == "__main__":
    unittest.main()
