"""Any bytes give records or a DataError: never another exception, a hang, or memory that a header asks for.

``HCCR_BENCH_FUZZ=100000 pytest tests/datamodules/test_fuzz.py --timeout 0`` tries so many files a reader.
"""

import os
import tracemalloc

import pytest
from fake.readers import READERS, Reader, check
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("HCCR_BENCH_FUZZ", "150"))  # a few seconds in all
# The largest .gnt record takes 64 MiB, and is held twice while its pieces are joined.
MOST_MEMORY = 160 << 20
# Numbers at the edge of their fields are what length checks get wrong.
EDGES = [b"\0\0\0\0", b"\xff\xff", b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80"]


def mutated(valid: bytes) -> st.SearchStrategy[bytes]:
    """A valid file with bytes overwritten, cut out, doubled, or put in between."""

    def change(edits: list[tuple[int, int, bytes]], cut: int) -> bytes:
        content = bytearray(valid)
        for start, length, piece in edits:
            content[start : start + length] = piece
        return bytes(content[: len(content) - cut])

    here = st.integers(0, len(valid))
    copied = st.builds(lambda start, length: valid[start : start + length], here, st.integers(1, 40))
    piece = st.binary(min_size=1, max_size=4) | st.sampled_from(EDGES) | copied
    overwritten = st.builds(lambda start, new: (start, len(new), new), here, piece)
    replaced = st.tuples(here, st.integers(0, 8), piece)
    cut = st.just(0) | here
    return st.builds(change, st.lists(overwritten | replaced, max_size=5), cut)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_valid_file_has_no_problem(tmp_path, reader: Reader) -> None:
    path = tmp_path / "valid"
    path.write_bytes(reader.valid)
    assert list(reader.read(path)) == []


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_any_bytes_give_records_or_a_data_error(tmp_path, reader: Reader) -> None:
    path = tmp_path / "fuzz"

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(content=st.binary(max_size=200) | mutated(reader.valid) | mutated(reader.valid))
    def run(content: bytes) -> None:
        path.write_bytes(content)
        tracemalloc.reset_peak()
        check(reader, path)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY

    tracemalloc.start()
    try:
        run()
    finally:
        tracemalloc.stop()
