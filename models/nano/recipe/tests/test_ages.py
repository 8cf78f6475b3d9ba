import math
import unittest
from dataclasses import replace
from unittest.mock import patch

import numpy as np

from ages import Note, age_text, age_words, ages_of, as_heard, misheard, notes_of, tell_ages
from labels import IGNORE, TYPED_TOKENS
from vocabulary import ACT_INDEX, SAY_INDEX, WORDS, word_class

REMIND = tuple(word_class(word) for word in "remind me in thirty five seconds".split())


def grids(turns):
    flat = {name: np.zeros((1, turns), np.int64) for name in ("act", "say", "play")}
    return {"typed": np.zeros((1, turns, TYPED_TOKENS), np.int16), **flat}


def told(grids):
    """By micro-turn: the words that are written there."""
    typed = grids["typed"][0]
    return {int(turn): [WORDS[word] for word in typed[turn] if word] for turn in np.flatnonzero(typed.any(1))}


def session(words, *events):
    spoken = [{"name": name, "start": end - 0.3, "end": end} for name, end in words]
    return {"words": spoken, "events": [dict(zip(("kind", "start", "end", "value"), event)) for event in events]}


class Notes(unittest.TestCase):
    def test_an_instruction_is_noted_at_its_end_with_its_words_up_to_a_gap(self):
        words = [("cat", 1.0), ("remind", 4.0), ("me", 4.2), ("in", 4.4), ("nine", 4.8), ("seconds", 5.3)]
        (note,) = notes_of(session(words, ("remind", 5.3, 14.3, 9)), grids(100)["typed"][0])
        self.assertEqual([WORDS[word] for word in note.words], ["remind", "me", "in", "nine", "seconds"])
        self.assertEqual((note.asked, note.acted, note.ends), (5.3, 28, 14.3))

    def test_of_a_reminder_every_n_seconds_only_the_first_was_asked_for(self):
        words = [("every", 1.0), ("four", 1.4), ("seconds", 2.0)]
        events = [("remind", 2.0, 6.0, 4), ("remind", 6.0, 10.0, 4)]
        self.assertEqual(len(notes_of(session(words, *events), grids(100)["typed"][0])), 1)

    def test_what_is_timed_is_noted_where_it_begins_and_where_it_ends(self):
        words = [("ready", 2.0), ("go", 2.3), ("hello", 9.0), ("i'm", 20.0), ("done", 20.4), ("how", 22.0)]
        begun, done = notes_of(session(words, ("elapsed", 2.3, 23.0, 18.1)), grids(200)["typed"][0])
        self.assertEqual([[WORDS[word] for word in note.words] for note in (begun, done)], [["ready", "go"], ["i'm", "done"]])
        self.assertEqual([(round(note.asked, 3), note.acted, note.waits) for note in (begun, done)], [(2.3, 13, False), (20.4, 103, False)])

    def test_a_cancel_ends_the_newest_of_those_in_minutes(self):
        words = [("two", 1.0), ("minutes", 1.5), ("five", 4.0), ("minutes", 4.5), ("ready", 5.0), ("done", 5.8)]
        events = ("minutes", 1.5, 1.5, 2), ("minutes", 4.5, 4.5, 5), ("elapsed", 5.0, 6.0, 0.8), ("cancel", 7.0, 8.0, 0)
        notes = notes_of(session(words, *events), grids(100)["typed"][0])
        self.assertEqual([note.ends for note in notes], [math.inf, 8.0, math.inf, math.inf])

    def test_what_was_typed_is_noted_without_marks(self):
        typed = grids(100)["typed"][0]
        typed[10] = [*(word_class(word) for word in "remind me in two minutes".split()), WORDS.index("<result>"), 0, 0]
        (note,) = notes_of(session([], ("minutes", 2.05, 2.05, 2)), typed)
        self.assertEqual([WORDS[word] for word in note.words], ["remind", "me", "in", "two", "minutes"])
        self.assertEqual((note.acted, note.minutes), (11, 2))

    def test_what_is_cancelled_is_not_told_any_more(self):
        words = [("two", 1.0), ("minutes", 1.5)]
        (note,) = notes_of(session(words, ("minutes", 1.5, 1.5, 2), ("cancel", 6.0, 7.0, 0)), grids(9)["typed"][0])
        self.assertEqual(note.ends, 7.0)


class Telling(unittest.TestCase):
    def test_its_age_is_told_every_ten_seconds_and_when_it_has_the_words_of_it_until_it_ends(self):
        page = grids(400)
        tell_ages(page, [[Note(2.1, REMIND, 12, ends=37.1)]], np.random.default_rng(1))
        self.assertEqual(list(np.flatnonzero(page["act"][0] == ACT_INDEX["note"])), [12, 13])
        self.assertEqual(list(told(page)), [60, 61, 110, 111, 160, 161, 185, 186])
        self.assertEqual(told(page)[110], "<age> twenty seconds remind me in thirty five".split())
        self.assertEqual(told(page)[111], ["seconds"])
        self.assertEqual(told(page)[185] + told(page)[186], "<age> thirty five seconds remind me in <same> <same> <same>".split())

    def test_what_is_the_same_in_the_note_is_told_as_such(self):
        for age, words in ((2_100, "<same> <same> <same>"), (300, "thirty <same> <same>"), (30, "thirty five minutes")):
            note = tuple(word_class(word) for word in "remind me in thirty five minutes".split())
            told = [WORDS[word] for word in age_text(age, Note(0.0, note))]
            self.assertEqual(told[len(age_words(age)) :], f"remind me in {words}".split())

    def test_a_minute_has_three_forms(self):
        for form in ("one minute", "a minute", "sixty seconds"):
            note = Note(0.0, tuple(word_class(word) for word in f"in {form} please".split()))
            self.assertEqual([WORDS[word] for word in age_text(60, note)][3:], "in <same> <same> please".split())

    def test_of_one_minute_the_small_word_may_be_missing_and_of_others_no_number(self):
        note = lambda text: Note(0.0, tuple(word_class(word) for word in text.split()))
        told = lambda text: [WORDS[word] for word in age_text(60, note(text))][3:]
        self.assertEqual(told("remind me in minutes"), "remind me <same> <same>".split())
        self.assertEqual(told("remind me in two minutes"), "remind me in two minutes".split())

    def test_between_the_tens_only_what_it_asks_for_is_told(self):
        asked = lambda text: Note(0.0, tuple(word_class(word) for word in text.split()))
        self.assertEqual(ages_of(asked("in twenty two seconds"))[:6], [10, 20, 22, 30, 40, 50])
        self.assertEqual(ages_of(asked("in five seconds"))[:3], [10, 20, 30])
        self.assertEqual(ages_of(asked("in twelve minutes"))[:3], [10, 20, 30])

    def test_when_one_is_taken_it_is_told_how_long_before_it_the_others_were(self):
        page = grids(300)
        begun, done = (tuple(word_class(word) for word in text.split()) for text in ("ready go", "i'm done"))
        tell_ages(page, [[Note(2.4, begun, 13), Note(20.9, done, 105)]], np.random.default_rng(1))
        age = lambda text: f"<age> {text}".split()
        self.assertEqual(told(page)[62], age("ten seconds ready go"))
        self.assertEqual(told(page)[106], age("eighteen seconds ready go"))  # 18.5, to the even one
        self.assertEqual(told(page)[112], age("twenty seconds ready go"))
        self.assertEqual(told(page)[154], age("ten seconds i'm done"))

    def test_tellings_that_meet_stand_one_after_the_other(self):
        page = grids(300)
        long = tuple(word_class(word) for word in "can you remind me in two minutes please".split())
        notes = [Note(1.0, long, 6, minutes=2), Note(1.4, long, 8, minutes=2), Note(10.6, long, 55)]
        with patch("ages.HURRIED_SHARE", 0):
            tell_ages(page, [notes], np.random.default_rng(1))
        text = " ".join(word for turn in sorted(told(page)) if 50 <= turn < 70 for word in told(page)[turn])
        request = "can you remind me in two minutes please"
        ages = "ten seconds", "ten seconds", "nine seconds", "ten seconds"
        self.assertEqual(sorted(text.split("<age> ")[1:]), sorted([*(f"{one} {request} " for one in ages[:3]), f"{ages[3]} {request}"]))

    def test_of_more_than_four_the_oldest_that_waits_for_nothing_is_not_told_any_more(self):
        words = [tuple(word_class(word) for word in text.split()) for text in ("two minutes", "ready go", "done", "ready", "go")]
        notes = [Note(1.0 + at, text, 6 + 5 * at, minutes=2 if at == 0 else 0) for at, text in enumerate(words)]
        page = grids(300)
        with patch("ages.HURRIED_SHARE", 0):
            tell_ages(page, [notes], np.random.default_rng(1))
        ten = [words for turn, words in sorted(told(page).items()) if 50 < turn < 80]
        self.assertEqual([" ".join(words[3:]) for words in ten], ["two minutes", "done", "ready", "go"])

    def test_two_that_are_due_together_wait_for_room_and_lose_no_word(self):
        page = grids(100)
        notes = [Note(1.0, REMIND[:4], 6), Note(1.0, REMIND[:3], 6)]
        tell_ages(page, [notes], np.random.default_rng(1))
        self.assertEqual(sum(map(len, told(page).values())), 3 + 4 + 3 + 3)

    def test_one_in_minutes_is_due_when_so_many_are_told_and_not_before(self):
        due_at, silent = 0, 0
        for seed in range(40):
            page = grids(300)
            words = tuple(word_class(word) for word in "remind me in three minutes".split())
            tell_ages(page, [[Note(1.0, words, 6, minutes=3)]], np.random.default_rng(seed))
            ages = [words[1:3] for words in told(page).values()]
            due = np.flatnonzero(page["say"][0] == SAY_INDEX["reminder"])
            if len(due) == 0:
                self.assertNotIn(["three", "minutes"], ages)
                silent += 1
                continue
            self.assertEqual(told(page)[due[0]][:3], ["<age>", "three", "minutes"])
            self.assertEqual(ages[-1], ["three", "minutes"])
            around = [page["say"][0][due[0] - 1], page["say"][0][due[0] + 1], page["play"][0][due[0] + 1]]
            self.assertEqual(around, [IGNORE, IGNORE, 1])
            due_at += 1
        self.assertGreater(due_at, 10)
        self.assertGreater(silent, 5)

    def test_one_minute_passes_by_the_clock_too(self):
        page = grids(400)
        words = tuple(word_class(word) for word in "remind me in one minute".split())
        for seed in range(20):
            page = grids(400)
            tell_ages(page, [[Note(1.0, words, 6, minutes=1)]], np.random.default_rng(seed))
            if max(told(page)) == 305:
                break
        self.assertEqual(page["say"][0][305], SAY_INDEX["reminder"])
        self.assertEqual([turn for turn in told(page)], [55, 105, 155, 205, 255, 305])

    def test_what_was_spoken_is_told_in_the_words_that_were_heard_until_the_act(self):
        shares = np.zeros((300, len(WORDS)), np.float32)
        shares[:, 0] = 1
        for slot, name in ((20, "cat"), (75, "remind"), (80, "me"), (90, "seconds"), (96, "dog")):
            shares[slot] = 0
            shares[slot, word_class(name)] = 1
        note = Note(3.5, REMIND, 18)
        self.assertEqual([WORDS[word] for word in as_heard(note, shares).words], ["remind", "me", "seconds"])
        self.assertEqual(as_heard(replace(note, spoken=False), shares).words, REMIND)
        self.assertEqual(as_heard(note, np.eye(len(WORDS), dtype=np.float32)[np.zeros(300, int)]).words, ())

    def test_a_note_that_the_model_missed_is_not_told(self):
        note, random = Note(1.0, REMIND, 6), np.random.default_rng(5)
        heard = [misheard(note, random) for _ in range(400)]
        self.assertAlmostEqual(sum(not one.words for one in heard) / 400, 0.12, delta=0.05)
        self.assertTrue(any(0 < len(one.words) < len(REMIND) for one in heard))
        self.assertEqual(heard[0].ends, math.inf)


if __name__ == "__main__":
    unittest.main()
