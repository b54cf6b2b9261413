"""A CASIA protocol as a dataset: official files in, packed characters of GB2312 level 1 out, split by writer."""

import logging
from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits, cut_validation
from datamodules._errors import DataError
from datamodules._files import cache_folder
from datamodules.cache.prepared import Prepared, check, find_prepared, prepare
from datamodules.cache.units import OnBad
from datamodules.readers.casia_parts import PARTS, Protocol, find_sources
from datamodules.readers.gb2312 import LEVEL1

ABOUT = 0.01  # papers' counts of the competition's test part differ by less
_LOG = logging.getLogger(__name__)


class HandwritingDatabase(CharacterDataModule):
    """Characters of a CASIA protocol, read from what the user downloaded; other symbols are dropped and counted.

    On first use the files are packed into the user's cache folder; later uses memory-map that.

    Args:
        protocol: which parts train and which test.
        data_root: the folder that holds the official downloads, packed or not; or one archive with all parts.
        batch_size, workers, seed: see CharacterDataModule.

    Raises:
        DataError: a part is missing, a file is damaged, or the cache's disk is full.
    """

    def __init__(
        self, protocol: Protocol, data_root: Path, batch_size: int = 64, workers: int = 0, seed: int = 0
    ) -> None:
        super().__init__(batch_size, workers, seed)
        self.protocol, self.data_root = protocol, Path(data_root)
        self._prepared: Prepared | None = None

    def prepare_data(self) -> None:
        """Pack the sources unless their cache is there."""
        self.prepare()

    def prepare(self, on_bad: OnBad | None = None) -> Prepared:
        """Pack the sources unless their cache is there, and open it.

        Args:
            on_bad: takes each bad record, which is left out and counted; without it the first one is raised.
        """
        if self._prepared is None:
            sources, unread = find_sources(self.data_root, self.protocol)
            for text in unread:
                _LOG.info("not read: %s", text)
            self._prepared = prepare(self._place(), sources, self.protocol, LEVEL1, _LOG.info, on_bad)
            for text in differences(self.protocol, self._prepared):
                _LOG.info("%s: %s", self.protocol.name, text)
        return self._prepared

    def check(self) -> list[str]:
        """What is wrong with the cache of these sources, in words; a missing cache is a problem too."""
        sources, _ = find_sources(self.data_root, self.protocol)
        found = find_prepared(self._place(), sources, LEVEL1)
        if found is None:
            return [f"{self._place()}: no cache of the sources as they are now in {self.data_root}. Prepare them."]
        return check(found, sources, self.protocol)

    def load(self) -> Splits:
        """Open the cache, and hold a tenth of the training writers back for validation."""
        prepared = self.prepare()
        rest, val = cut_validation(prepared.characters("train"))
        return Splits(LEVEL1, rest, val, prepared.characters("test"), prepared.content)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Facts for records and boards; the note says what differs from the published sizes."""
        sizes = {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)}
        note = " ".join(differences(self.protocol, self.prepare()))
        of = self.protocol
        return DatasetInfo(of.name, len(splits.labels), sizes, of.source, of.licence, False, note)

    def _place(self) -> Path:
        return cache_folder() / "prepared" / self.protocol.name


def build_database(protocol: Protocol, settings: DataSettings) -> HandwritingDatabase:
    """The datamodule for a suite.

    Raises:
        DataError: without a data root.
    """
    if settings.data_root is None:
        raise DataError("--data-root", 0, f"the folder with the files of {protocol.name}", "nothing")
    return HandwritingDatabase(protocol, settings.data_root)


def differences(protocol: Protocol, prepared: Prepared) -> list[str]:
    """Where a cache is not what is published: counts of characters by role, and records that were bad."""
    texts = []
    for role, parts in (("train", protocol.train), ("test", protocol.test)):
        known = [PARTS[part] for part in parts]
        found = prepared.count("count", role)
        wanted = sum(part.characters or 0 for part in known)
        if all(part.characters for part in known):
            about = any(part.about for part in known)
            if abs(found - wanted) > (ABOUT * wanted if about else 0):
                published = f"{'about ' if about else ''}{wanted:,}"
                texts.append(f"Holds {found:,} {role} characters; {published} are published.")
    for bad, what in ((prepared.count("bad"), "records"), (len(prepared.meta["bad_members"]), "members of archives")):
        if bad:
            texts.append(f"{bad:,} bad {what} were left out.")
    return texts
