"""Messages that are typed: instructions, which the model follows and shows by an act that it does, and whatever somebody else is to answer.

What it does nothing about becomes a task (packages/edge/src/background/read-messages.ts). In recorded sessions hardly anything but instructions
is typed; here the rest is written into them, and into sessions without sound.
"""

import numpy as np

from labels import ACT_TURNS, IGNORE, TURN_SECONDS, TYPED_TOKENS, turn_of
from losses import Batch
from texts import COUNT_ANIMALS, TRANSLATE, Writer, parse, phrases
from vocabulary import ACT_INDEX, MANNERS, MARKS, SAY_INDEX, WORDS, number_words, word_class

TYPED_SHARE, MOST_MESSAGES = 0.4, 3
"""Of recorded sessions, those with messages that are written in, and how many at most."""
QUESTION_SHARE = 0.5
"""Of messages in sessions without sound; of those in recorded ones it is `1 - MANNER_SHARE`."""
MANNER_SHARE = 0.2
MOST_ROWS = 3
"""Micro-turns that a message is read in; what is longer is cut."""
NEXT_TURNS = (8, 24)
"""From one message to the next."""
ANSWER_TURNS = 2
"""From the last word of a message to the answer that the model says itself, and how long that is heard."""
REMINDER_TURNS = 6
FIRST_MARK = WORDS.index(MARKS[0])
OWN = {tuple(word_class(word) for word in phrase.split()) for phrase in phrases(*COUNT_ANIMALS, *TRANSLATE)}
"""What is typed in recorded sessions, and needs neither a note nor an answer."""
INSTRUCTIONS = {"count": 0.18, "translate": 0.14, "every": 0.16, "next": 0.1, "stop": 0.12, "cancel": 0.1, "manner": 0.12, "resume": 0.08}
QUESTIONS = {"open_question": 0.3, "request": 0.25, "utterance": 0.2, "near": 0.15, "answer": 0.1}


def type_messages(batch: Batch, writer: Writer, random: np.random.Generator) -> None:
    """Marks the instructions in recorded sessions as handled, and writes other messages into some; before anything else is told in them."""
    for row in range(len(batch.act)):
        typed, act = (np.asarray(grid[row]) for grid in (batch.typed, batch.act))
        for words, last in messages_in(typed):
            if words in OWN:
                _act(act, last, "handle")
        if random.random() > TYPED_SHARE:
            continue
        for turn in random.integers(1, len(act), int(random.integers(1, MOST_MESSAGES + 1))):
            if typed[turn - 1 : turn + MOST_ROWS + 1].any() or act[turn : turn + MOST_ROWS + ACT_TURNS].any():
                continue
            manner = str(random.choice(["repeat", *MANNERS])) if random.random() < MANNER_SHARE else None
            last = write(typed, int(turn), parse(writer.manner(manner) if manner else question(writer, random)).words)
            if manner and last is not None:
                _act(act, last, manner)


def type_many(batch: Batch, row: int, writer: Writer, random: np.random.Generator) -> None:
    """One message after another into a session without sound."""
    typed, act = (np.asarray(grid[row]) for grid in (batch.typed, batch.act))
    turn = int(random.integers(1, 12))
    while turn is not None and turn < len(typed):
        if random.random() < QUESTION_SHARE:
            last = write(typed, turn, parse(question(writer, random)).words)
        else:
            kind = _one_of(INSTRUCTIONS, random)
            last = _repeat_reminder(batch, row, turn, writer, random) if kind == "every" else _instruct(kind, typed, act, batch, row, turn, writer, random)
        turn = None if last is None else last + int(random.integers(*NEXT_TURNS))


def question(writer: Writer, random: np.random.Generator) -> list[str]:
    """What the model has no answer to, as marked tokens; some have the words of an instruction."""
    kind = _one_of(QUESTIONS, random)
    return writer.about_instructions() if kind == "near" else getattr(writer, kind)()


def messages_in(typed: np.ndarray) -> list[tuple[tuple[int, ...], int]]:
    """Word classes of each message in [M, TYPED_TOKENS], and the micro-turn of its last word; what the runtime tells is none."""
    found, words = [], []
    for turn, row in enumerate(typed):
        row = [int(word) for word in row if word]
        if row and row[0] < FIRST_MARK:
            words += row
            if len(row) < TYPED_TOKENS or turn + 1 == len(typed) or not typed[turn + 1].any():
                found.append((tuple(words), turn))
                words = []
    return found


def write(typed: np.ndarray, turn: int, words: list[str]) -> int | None:
    """Into [M, TYPED_TOKENS] from `turn` on; @returns the micro-turn of the last word, nothing where there is no room"""
    words = words[: MOST_ROWS * TYPED_TOKENS]
    last = turn + (len(words) - 1) // TYPED_TOKENS
    if last >= len(typed):
        return None
    for index, word in enumerate(words):
        typed[turn + index // TYPED_TOKENS, index % TYPED_TOKENS] = word_class(word)
    return last


def _instruct(kind: str, typed: np.ndarray, act: np.ndarray, batch: Batch, row: int, turn: int, writer: Writer, random: np.random.Generator) -> int | None:
    value = int(random.integers(1, 19))
    manner = str(random.choice(["repeat", *MANNERS]))
    marked, name = {
        "count": (writer.count_animals(), "handle"),
        "translate": (writer.translate(), "handle"),
        "next": (writer.next_number(value), "handle"),
        "stop": (writer.stop(), "stop"),
        "cancel": (writer.cancel(), "cancel"),
        "manner": (writer.manner(manner), manner),
        "resume": (writer.resume(), "continue"),
    }[kind]
    last = write(typed, turn, parse(marked).words)
    if last is None:
        return None
    _act(act, last, name)
    if kind == "next" and last + 2 * ANSWER_TURNS + 1 < len(act):
        answer = last + ANSWER_TURNS
        for offset, word in enumerate(number_words(value + 1)):
            batch.say[row, answer + offset] = SAY_INDEX[word]
        batch.say[row, answer + offset + 1] = IGNORE
        batch.play[row, answer + 1 : answer + 1 + ANSWER_TURNS] = 1
    return last


def _repeat_reminder(batch: Batch, row: int, turn: int, writer: Writer, random: np.random.Generator) -> int | None:
    """A reminder every few seconds, until a message stops it."""
    typed, act = (np.asarray(grid[row]) for grid in (batch.typed, batch.act))
    period, rounds = int(random.integers(2, 7)), int(random.integers(1, 5))
    marked = writer.remind_every(period)
    last = turn + (len(marked) - 1) // TYPED_TOKENS
    due = [turn_of(turn * TURN_SECONDS + round_ * period) for round_ in range(1, rounds + 1)]
    stop = due[-1] + int(random.integers(2, turn_of(period) - 2))
    if stop + ACT_TURNS >= len(act):
        return None
    write(typed, turn, marked)
    _act(act, last, "handle")
    for at in due:
        batch.say[row, at - 1 : at + 2] = IGNORE
        batch.say[row, at] = SAY_INDEX["reminder"]
        batch.play[row, at + 1 : at + REMINDER_TURNS] = 1
    last = write(typed, stop, parse(writer.stop()).words)
    _act(act, last, "stop")
    return last


def _act(act: np.ndarray, last: int, name: str) -> None:
    """The model acts in the micro-turn after the last word of a message."""
    acts = act[last + 1 : last + 1 + ACT_TURNS]
    acts[acts == 0] = ACT_INDEX[name]


def _one_of(shares: dict[str, float], random: np.random.Generator) -> str:
    return str(random.choice(list(shares), p=list(shares.values())))
