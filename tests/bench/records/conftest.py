"""The board that tests of ``bench choose`` choose from."""

from collections.abc import Callable

import pytest
from fake.choices import write_board


@pytest.fixture
def records(bench: Callable[[str], tuple[int, str, str]]) -> Callable[[str], tuple[int, str, str]]:
    """The command line beside the board of ``write_board``."""
    write_board()
    return bench
