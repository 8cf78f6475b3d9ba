"""What is said in one utterance, with the light markup that sentences are written in.

`[ ... ]` encloses a self-correction, `|` stands where the speaker may stop to think, `,` where a list or clause breaks.
"""

from dataclasses import dataclass, field


@dataclass
class Line:
    """Words of one utterance. `corrections` are [first, past) word ranges, `breaks` word indexes after which one may pause."""

    words: list[str]
    corrections: list[tuple[int, int]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    commas: list[int] = field(default_factory=list)


def parse(marked: list[str]) -> Line:
    """@throws ValueError on brackets that do not match."""
    line, opened = Line([]), None
    for token in marked:
        if token == "[":
            opened = len(line.words)
        elif token == "]":
            if opened is None:
                raise ValueError(f"']' without '[' in {' '.join(marked)!r}")
            line.corrections.append((opened, len(line.words)))
            opened = None
        elif token == "|":
            line.breaks.append(len(line.words) - 1)
        elif token == ",":
            line.commas.append(len(line.words) - 1)
        else:
            line.words.append(token)
    if opened is not None:
        raise ValueError(f"'[' without ']' in {' '.join(marked)!r}")
    return line


def phrases(*options: str) -> list[str]:
    """Those that slashes separate."""
    return [phrase for some in options for phrase in some.split("/")]
