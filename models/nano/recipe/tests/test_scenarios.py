import unittest

import numpy as np

from acoustics import Crowd
from labels import label
from scenarios import Director
from synthesis import RATE_HZ, ReadingError, Span, Utterance
from vocabulary import ACT_INDEX, DROPPED, FLOOR_INDEX, MARKS, NUMBERS, RESULT


class Metronome:
    """A studio in which every word takes 0.3 s."""

    def record(self, speaker, words, marks, random):
        spans = [Span(word, 0.3 * index, 0.3 * (index + 1)) for index, word in enumerate(words)]
        return Utterance(np.full(int(0.3 * len(words) * RATE_HZ), 0.1, np.float32), spans, [])


class Mumbler(Metronome):
    """Misreads a sentence in three."""

    def record(self, speaker, words, marks, random):
        if random.random() < 1 / 3:
            raise ReadingError("misread")
        return super().record(speaker, words, marks, random)


def sessions(split, count, seconds=30, studio=Metronome()):
    for seed in range(count):
        random = np.random.default_rng(seed)
        director = Director(split, seconds, random, studio, Crowd(random))
        yield director.mode, director.run()


def of(timeline, *kinds):
    return [event for event in timeline.events if event.kind in kinds]


class Drill(unittest.TestCase):
    def test_it_is_full_of_what_is_rare(self):
        def rare(split):
            return sum(len(of(timeline, "barge-in", "backchannel")) for _, timeline in sessions(split, 40))

        self.assertGreater(rare("drill"), 1.5 * rare("train"))

    def test_counting_and_reminders_meet_in_one_session(self):
        mixed = [timeline for mode, timeline in sessions("drill", 60) if mode == "mixed"]
        self.assertTrue(any(of(timeline, "count") and of(timeline, "remind") for timeline in mixed))


class Counting(unittest.TestCase):
    def test_a_third_of_the_agents_is_not_heard_to_count_in_training_and_all_are_in_tests(self):
        def heard(split):
            counted = [timeline for _, timeline in sessions(split, 60) if of(timeline, "count")]
            interjected = [
                any(span.start - event.end < 1 for event in of(timeline, "count")[:1] for span in timeline.play if span.start > event.end)
                for timeline in counted
            ]
            return sum(interjected) / len(interjected)

        self.assertTrue(0.4 < heard("skills") < 0.9)
        for split in ("espeak", "seen"):
            self.assertGreater(heard(split), 0.95)

    def test_after_a_stop_it_begins_at_one(self):
        again = 0
        for _, timeline in sessions("drill", 240):
            counts = [event.value for event in of(timeline, "count")]
            for before, after in zip(counts, counts[1:]):
                self.assertIn(after, (before + 1, 1))
                again += after == 1 and before > 1
        self.assertGreater(again, 0)


class Recalled(unittest.TestCase):
    def test_a_reminder_that_is_called_off_does_not_come_and_is_none_in_tests(self):
        recalled = 0
        for _, timeline in sessions("drill", 200):
            due = [event.end for event in of(timeline, "remind")]
            for event in of(timeline, "recalled"):
                recalled += 1
                self.assertTrue(any(abs(cancel.end - event.end) < 1e-6 for cancel in of(timeline, "cancel")))
                self.assertTrue(all(abs(end - event.start - event.value) > 0.01 for end in due))
        self.assertGreater(recalled, 10)
        self.assertFalse([timeline for _, timeline in sessions("espeak-rare", 60) if of(timeline, "recalled")])


class OverTheAgent(unittest.TestCase):
    def test_who_breaks_in_and_who_says_that_they_listen_do_so_while_it_talks_whatever_is_misread(self):
        seen = 0
        for _, timeline in sessions("drill", 30, studio=Mumbler()):
            play = label(timeline).play
            for event in of(timeline, "barge-in", "backchannel"):
                turn = int(event.start / 0.2)
                seen += 1
                self.assertIn(1, play[max(0, turn - 1) : turn + 2])
        self.assertGreater(seen, 30)

    def test_the_floor_is_the_barge_in_s_until_the_agent_is_silent(self):
        seen = 0
        for _, timeline in sessions("drill", 30):
            labels = label(timeline)
            for event in of(timeline, "barge-in"):
                turn = int(event.start / 0.2) + 1
                while turn < len(labels.play) - 1 and labels.play[turn + 1]:
                    self.assertEqual(labels.floor[turn], FLOOR_INDEX["barge-in"])
                    turn += 1
                    seen += 1
        self.assertGreater(seen, 30)


class Rare(unittest.TestCase):
    def test_every_rare_skill_is_in_it_many_times(self):
        found = {}
        for _, timeline in sessions("rare", 40):
            for event in of(timeline, "sum", "next", "relay", "commit", "continue", "elapsed"):
                found[event.kind] = found.get(event.kind, 0) + 1
        self.assertEqual(len(found), 6)
        self.assertGreater(min(found.values()), 4)

    def test_the_agent_that_was_told_to_continue_speaks_again(self):
        seen = 0
        for _, timeline in sessions("rare", 20, seconds=60):
            labels = label(timeline)
            for event in (event for event in of(timeline, "continue") if event.end < 50):
                seen += 1
                turn = int(event.end / 0.2)
                self.assertIn(ACT_INDEX["continue"], labels.act[turn : turn + 4])
                self.assertIn(1, labels.play[turn : turn + 25])
        self.assertGreater(seen, 5)

    def test_what_took_longer_than_the_agent_has_words_for_is_not_told(self):
        for _, timeline in sessions("long", 60, seconds=120):
            label(timeline)
            self.assertTrue(all(event.value <= 69.5 for event in of(timeline, "elapsed")))

    def test_only_their_long_sessions_measure_longer_than_training_can(self):
        longest = max(event.value for _, timeline in sessions("slt-rare", 30, seconds=60) for event in of(timeline, "elapsed"))
        self.assertGreater(longest, 30)


class Replies(unittest.TestCase):
    def test_most_turns_are_short_and_each_is_over_when_it_is(self):
        short = turns = over = 0
        for _, timeline in sessions("replies", 30):
            labels = label(timeline)
            starts = [word.start for word in timeline.words]
            for event in (event for event in of(timeline, "yield") if event.end < 28):
                before = max((end.end for end in of(timeline, "yield") if end.end <= event.start), default=0)
                said = sum(before <= start < event.start for start in starts)
                turns, short = turns + 1, short + (0 < said <= 4)
                over += labels.floor[int(event.start / 0.2) + 1] == FLOOR_INDEX["yielded"]
        self.assertGreater(turns, 100)
        self.assertGreater(over, 0.98 * turns)  # an agent that was told to stop may still be heard
        self.assertGreater(short, turns / 2)

    def test_a_list_of_replies_is_not_over_in_its_pauses_and_the_agent_has_mostly_spoken_before_one(self):
        holds = spoke = 0
        for _, timeline in sessions("replies", 30):
            holds += len(of(timeline, "hold"))
            spoke += len(timeline.play)
        self.assertGreater(holds, 30)
        self.assertGreater(spoke, 60)


class Marks(unittest.TestCase):
    def test_nothing_is_counted_after_a_stop(self):
        stopped = 0
        for mode, timeline in sessions("skills", 80):
            counts = [event.start for event in of(timeline, "count")]
            stops = [event.end for event in of(timeline, "stop") if event.end > min(counts, default=timeline.seconds)]
            if mode == "count" and stops:
                stopped += 1
                self.assertLess(max(counts), stops[0])
        self.assertGreater(stopped, 1)

    def test_a_result_is_offered_until_it_is_said_and_never_after_it_was_called_off(self):
        relayed = called_off = 0
        for mode, timeline in sessions("skills", 80):
            marks = [(seconds, words[0]) for seconds, words in timeline.typed if words[0] in MARKS]
            for event in (event for event in of(timeline, "relay") if event.start < timeline.seconds):
                relayed += 1
                self.assertTrue(any(mark == RESULT and event.start - 0.01 <= at < event.end for at, mark in marks))
            for at in (at for at, mark in marks if mark == DROPPED and mode == "errand"):
                called_off += 1
                self.assertFalse([event for event in of(timeline, "relay") if event.start < at < event.end])
        self.assertGreater(min(relayed, called_off), 1)

    def test_a_wrong_sum_is_put_right_and_a_right_one_is_let_pass(self):
        for _, timeline in sessions("train", 200):
            for event in of(timeline, "sum"):
                names = [word.name for word in timeline.words]
                at = next(i for i, word in enumerate(timeline.words) if word.end == event.start)
                first, second, claimed = names[at - 4], names[at - 2], names[at]
                self.assertEqual(names[at - 3], "plus")
                self.assertEqual(NUMBERS.index(first) + NUMBERS.index(second), event.value)
                self.assertNotEqual(NUMBERS.index(claimed), event.value)

    def test_every_barge_in_is_labelled_and_stops_the_agent(self):
        seen = 0
        for _, timeline in sessions("drill", 20):
            labels = label(timeline)
            for event in of(timeline, "barge-in"):
                turn = int(event.start / 0.2) + 1
                if turn + 8 < len(labels.floor):
                    seen += 1
                    self.assertIn(FLOOR_INDEX["barge-in"], labels.floor[turn - 1 : turn + 2])
                    self.assertIn(ACT_INDEX["stop"], labels.act[turn - 1 : turn + 7])
        self.assertGreater(seen, 10)


if __name__ == "__main__":
    unittest.main()
