"""The README's index of files: the first line of each module. ``python tests/file_index.py`` writes it anew."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- files -->\n", "<!-- end of files -->"


def with_index(readme: str) -> str:
    """The README's text with today's index between its two marks."""
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: BEGIN + index() + END, readme, flags=re.DOTALL)


def index() -> str:
    """A folded list for each package: its files, each with the first line of its docstring."""
    parts = []
    for top in ("bench", "tasks", "datamodules"):
        for folder in sorted({path.parent for path in (ROOT / top).rglob("*.py")}):
            files = [path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
            name, about = folder.relative_to(ROOT).as_posix(), first_line(folder / "__init__.py")
            lines = "".join(f"- `{path.name}`: {first_line(path)}\n" for path in files)
            parts.append(f"<details><summary><b>{name}/</b> {about}</summary>\n\n{lines}\n</details>\n")
    return "".join(parts)


def first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.splitlines()[0] if docstring else ""


if __name__ == "__main__":
    page = ROOT / "README.md"
    page.write_text(with_index(page.read_text(encoding="utf-8")), encoding="utf-8")
