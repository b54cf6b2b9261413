"""Prepares a cache of HWDB1.1 in a separate process, and measures its peak memory."""

import os
import subprocess
import sys
from pathlib import Path

from datamodules.casia_hwdb import PROTOCOL

# Without torch and Lightning, whose import takes 600 MB, more than the preparation.
PROBE = """
import sys
from pathlib import Path
from datamodules.readers.gb2312 import LEVEL1
from datamodules.readers.casia_parts import Protocol, find_sources
from datamodules.cache.prepared import prepare
protocol, root, cache = eval(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
prepare(cache / "prepared" / protocol.name, find_sources(root, protocol)[0], protocol, LEVEL1, lambda text: None)
assert "torch" not in sys.modules
# Not ru_maxrss, which includes the size of the forked parent.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def prepare_alone(root: Path, cache: Path) -> int:
    """Prepare a data root of HWDB1.1 into an empty cache folder; returns the process's peak resident bytes (Linux)."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROBE, repr(PROTOCOL), str(root), str(cache)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"preparing failed: {done.stderr.strip()}")
    return int(done.stdout) * 1024  # the kernel counts kibibytes
