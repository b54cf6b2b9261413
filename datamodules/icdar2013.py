"""The ICDAR-2013 protocol: trains on all 720 writers of HWDB1.0 and 1.1, tests on the competition's 60 writers."""

from datamodules._base import DataSettings
from datamodules._casia import HandwritingDatabase, build_database
from datamodules.readers.casia_parts import Protocol

SOURCE = "F. Yin et al., ICDAR 2013 Chinese Handwriting Recognition Competition; training data: C.-L. Liu et al., 2011"
# https://nlpr.ia.ac.cn/databases/handwriting/Application_form.html, "Conditions of Academic Use".
LICENCE = "academic research only, free under CASIA's agreement; not to be passed on; commercial use on CASIA's terms"
SYNTHETIC = False
TEST_FILES = r"c\d"  # the competition's writers are C001 to C060
PROTOCOL = Protocol(
    "icdar2013", ("HWDB1.0trn", "HWDB1.0tst", "HWDB1.1trn", "HWDB1.1tst"), ("competition",), TEST_FILES, SOURCE, LICENCE
)


def build(settings: DataSettings) -> HandwritingDatabase:
    """The datamodule for a suite; raises DataError without a data root."""
    return build_database(PROTOCOL, settings)
