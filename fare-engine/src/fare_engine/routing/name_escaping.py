r"""Route notation: how names stand in a route text, whatever characters they have.

A route text parts its words by `:`, an operator from its line by `/`, a pass from its period by
`[ ]`, and passes by `|`, each in half or full width. Where a name has such a sign itself, a
backslash stands before it: the line 王子ヶ岳線：児島 is written 王子ヶ岳線\：児島.
"""

ESCAPE = "\\"
WALK = "徒歩"
BUS = "バス"
_SIGNS = ":/[]|"
_WIDE = str.maketrans("：／［］｜︓﹕﹇﹈", ":/[]|::[]")


def escaped(name: str) -> str:
    """A name as a word of a route text; `unescaped` reads it back."""
    return "".join(
        ESCAPE + char if char == ESCAPE or char.translate(_WIDE) in _SIGNS else char
        for char in name
    )


def unescaped(word: str) -> str:
    """The name that a word of a route text stands for."""
    chars = iter(word)
    return "".join(next(chars, ESCAPE) if char == ESCAPE else char for char in chars)


def split_words(text: str, sign: str) -> list[str]:
    """The words between the signs, stripped and still escaped."""
    folded = text.translate(_WIDE)
    if ESCAPE not in text:
        return [word.strip() for word in folded.split(sign)]
    words, start, at = [], 0, 0
    while at < len(text):
        if text[at] == ESCAPE:
            at += 1  # the next character is part of a name
        elif folded[at] == sign:
            words.append(text[start:at].strip())
            start = at + 1
        at += 1
    return [*words, text[start:].strip()]


def names_in(text: str) -> list[str]:
    """The names in a route text: stations and lines in turn. A line's operator stands before it."""
    return [unescaped(word) for word in split_words(text, ":")]
