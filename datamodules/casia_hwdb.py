"""CASIA-HWDB1.1: 240 training writers, 60 test writers, 3,755 classes."""

from datamodules._base import DataSettings
from datamodules._casia import HandwritingDatabase, build_database
from datamodules.readers.casia_parts import Protocol

SOURCE = "C.-L. Liu et al., CASIA Online and Offline Chinese Handwriting Databases, ICDAR 2011"
# https://nlpr.ia.ac.cn/databases/handwriting/Application_form.html, "Conditions of Academic Use".
LICENCE = "academic research only, free under CASIA's agreement; not to be passed on; commercial use on CASIA's terms"
SYNTHETIC = False
# HWDB1.1's writers are 1001 to 1300; the official test part is the last 60.
TEST_FILES = r"(124[1-9]|12[5-9]\d|1300)(?!\d)"
PROTOCOL = Protocol("casia_hwdb", ("HWDB1.1trn",), ("HWDB1.1tst",), TEST_FILES, SOURCE, LICENCE)


def build(settings: DataSettings) -> HandwritingDatabase:
    """The datamodule for a suite; raises DataError without a data root."""
    return build_database(PROTOCOL, settings)
