import unittest

from card import HELD_OUT, shown, tables

SPOKEN = ("words", "all that it knows, F1")
TYPED = ("typed, in silence", "cancel")
UNASKED = ("nobody asks, microphone: off", "nothing: it says something")


def figure(listener, among, suite, measure, value):
    return {"listener": listener, "set": among, "suite": suite, "measure": measure, "value": value}


class Card(unittest.TestCase):
    def test_has_two_digits_of_each_value_and_a_dash_for_none(self):
        self.assertEqual([shown(value) for value in (0.934, 0.0, 0.999, 1.0, 1.25, None)], [".93", ".00", "1.0", "1.0", "1.25", "–"])

    def test_has_a_column_of_each_bundle_and_a_row_of_each_measure(self):
        own = [figure("nano", voice, *SPOKEN, value) for voice, value in (("espeak", 0.94), ("slt", 0.84))]
        own += [figure("nano", "espeak", "manners of speaking", f"{name}, recall", 0.5) for name in ("louder", "quieter", "slower", "faster")]
        own += [figure("silero", "espeak", *SPOKEN, None), figure("nano", "typed", *TYPED, 1.0)]
        own += [figure("nano", "typed", "typed, in background noise", "cancel", 0.9), figure("nano", "unasked", *UNASKED, 0.0)]
        held_out, typed, unasked = (
            [[cell.strip() for cell in row.split("|")[1:-1]] for row in one.split("\n")]
            for one in tables(own, [figure("before", "typed", *TYPED, 0.62)]).split("\n\n")
        )
        self.assertEqual(held_out[0], ["", "nano", "before", "silero", "we want"])
        self.assertEqual(len(held_out), 2 + len(HELD_OUT))
        self.assertEqual(held_out[2], ["words that it knows, F1", ".94 / .84 / –", "–", "–", ".97 / .78 / .82"])
        self.assertIn(["louder, quieter, slower, faster: recall, mean", ".50 / – / –", "–", "–", ""], held_out)
        self.assertEqual(typed[2], ["cancel", "1.0", ".90", ".62", "–"])
        self.assertEqual(unasked[0], ["", "nano, nobody asks, microphone: off", "before, nobody asks, microphone: off"])
        self.assertEqual(unasked[2:], [["nothing: it says something", ".00", "–"]])


if __name__ == "__main__":
    unittest.main()
