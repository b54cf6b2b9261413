"""Coverage-guided fuzzing of one reader: ``python tests/fuzz/fuzz_readers.py FORMAT [FOLDER] [-runs=N]``.

Needs ``pip install atheris``, which is no dependency of the suite. What follows FORMAT goes to libFuzzer; without a
folder of inputs it starts from one valid file. An input that breaks the reader is written to the present folder.
"""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

with atheris.instrument_imports(include=[
    "datamodules.readers.gnt", "datamodules.readers.alz", "datamodules.readers.archive",
    "datamodules.readers.archive_member", "zipfile",
]):  # fmt: skip
    from fake.readers import READERS, check


def main() -> None:
    """Fuzz the named reader until told to stop."""
    readers = {reader.name: reader for reader in READERS}
    if len(sys.argv) < 2 or sys.argv[1] not in readers:
        sys.exit(f"usage: fuzz_readers.py {'|'.join(readers)} [FOLDER] [-runs=N] [-max_total_time=SECONDS]")
    reader = readers[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        seeds = Path(folder) / "seeds"
        seeds.mkdir()
        (seeds / "valid").write_bytes(reader.valid)

        def one(content: bytes) -> None:
            path.write_bytes(content)
            check(reader, path)

        # More memory than any reader may take, in MiB, and seconds an input may take.
        atheris.Setup([*sys.argv, str(seeds), "-rss_limit_mb=1024", "-malloc_limit_mb=256", "-timeout=10"], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
