"""What is read out of an archive, and what is wrong with one."""

from pathlib import Path

import pytest

from datamodules._errors import DataError
from datamodules.readers.archive import members


def contents(path: Path) -> dict[str, bytes]:
    """Name -> content of every member."""
    return {member.name: stream.read() for member, stream in members(path)}


def fault(path: Path) -> DataError:
    """The error that names the archive when it is read; fails where there is none."""
    with pytest.raises(DataError) as caught:
        contents(path)
    assert caught.value.file == str(path)
    return caught.value
