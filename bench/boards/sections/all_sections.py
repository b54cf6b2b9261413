"""What a board has beside its table where some of its systems call for it: sections with a picture of their own."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.boards.sections.early_exits import exits_picture, exits_text
from bench.boards.sections.layer_sweep import sweeps_picture, sweeps_text
from bench.records.rows import BoardRow


class Beside(NamedTuple):
    """One such section.

    Attributes:
        ending: of its picture's name, after the board's.
        heading: of the section and, with the data's name, of the picture.
        shows: what the picture shows, for who cannot see it.
        text: of the section; nothing where no row calls for it.
        picture: SVG of rows, title and description; None where there is nothing to draw.
    """

    ending: str
    heading: str
    shows: str
    text: Callable[[Sequence[BoardRow]], str]
    picture: Callable[[Sequence[BoardRow], str, str], bytes | None]


SECTIONS = (
    Beside(
        "exits", "Early exits", "Accuracy against mean time of a character, for every threshold of the first exit",
        exits_text, exits_picture,
    ),
    Beside(
        "storage", "Chosen centroids", "Accuracy against bytes of each layer, quantised alone",
        sweeps_text, sweeps_picture,
    ),
)  # fmt: skip


def beside(
    rows: Sequence[BoardRow], suffix: str, image: str, title: Callable[[str], str], mark: str
) -> tuple[list[str], dict[str, bytes]]:
    """The sections that these rows call for, and their pictures by file name.

    Args:
        rows: of one section of the board.
        suffix: of its headings.
        image: name of its own picture.
        title: of a picture, from a heading.
        mark: stored in each picture.
    """
    parts: list[str] = []
    files: dict[str, bytes] = {}
    for one in SECTIONS:
        text, drawn = one.text(rows), one.picture(rows, title(one.heading), mark)
        name = image.replace(".svg", f"-{one.ending}.svg")
        files |= {name: drawn} if drawn else {}
        shown = [f"![{one.shows}]({name})\n"] if drawn else []
        parts += [f"## {one.heading}{suffix}\n", *shown, text] if text else []
    return parts, files
