"""CASIA handwriting as a dataset: packs the official files into a cache; GB2312 level 1, split by writer."""

import logging
from pathlib import Path

from datamodules._base import CharacterDataModule, DatasetInfo, DataSettings, Splits, cut_validation
from datamodules._errors import OnBad
from datamodules._files import cache_folder
from datamodules.cache.prepared import Prepared, check, find_prepared, prepare
from datamodules.readers.casia_parts import PARTS, Protocol, find_sources
from datamodules.readers.gb2312 import LEVEL1

_TOLERANCE = 0.01  # the counts of the competition's test part in papers differ by less
_LOG = logging.getLogger(__name__)


class HandwritingDatabase(CharacterDataModule):
    """Characters of a CASIA protocol from the user's downloads; other symbols are dropped and counted.

    The first use packs the files into the user's cache folder; later uses memory-map the cache.

    Args:
        protocol: which parts are for training and which for the test.
        data_root: folder with the official downloads, compressed or extracted; or one archive with all parts.

    Raises:
        DataError: a part is missing, a file is damaged, or the disk of the cache is full.
    """

    def __init__(
        self, protocol: Protocol, data_root: Path, batch_size: int = 64, workers: int = 0, seed: int = 0
    ) -> None:
        super().__init__(batch_size, workers, seed)
        self.protocol, self.data_root = protocol, Path(data_root)
        self._prepared: Prepared | None = None

    def prepare_data(self) -> None:
        """Pack the sources, unless the cache already holds them."""
        self.prepare()

    def prepare(self, on_bad: OnBad | None = None) -> Prepared:
        """Pack the sources, unless the cache already holds them, and open the cache.

        Args:
            on_bad: called for each bad record, which is skipped and counted; None raises the first one.
        """
        if self._prepared is None:
            sources, unread = find_sources(self.data_root, self.protocol)
            for text in unread:
                _LOG.info("not read: %s", text)
            self._prepared = prepare(self._cache(), sources, self.protocol, LEVEL1, _LOG.info, on_bad)
            for text in differences(self.protocol, self._prepared):
                _LOG.info("%s: %s", self.protocol.name, text)
        return self._prepared

    def check(self) -> list[str]:
        """Problems of the cache, as messages; a missing or outdated cache is one."""
        sources, _ = find_sources(self.data_root, self.protocol)
        prepared = find_prepared(self._cache(), sources, LEVEL1)
        if prepared is None:
            return [f"{self._cache()}: no cache of the current files in {self.data_root}. Prepare them."]
        return check(prepared, sources, self.protocol)

    def load(self) -> Splits:
        """Open the cache and use a tenth of the training writers for validation."""
        prepared = self.prepare()
        train, val = cut_validation(prepared.characters("train"))
        return Splits(LEVEL1, train, val, prepared.characters("test"), prepared.content)

    def describe(self, splits: Splits) -> DatasetInfo:
        """Metadata; the note lists differences from the published sizes."""
        protocol, note = self.protocol, " ".join(differences(self.protocol, self.prepare()))
        classes = len(splits.labels)
        return DatasetInfo(protocol.name, classes, splits.sizes, protocol.source, protocol.licence, False, note)

    def _cache(self) -> Path:
        return cache_folder() / "prepared" / self.protocol.name


def build_database(protocol: Protocol, settings: DataSettings) -> HandwritingDatabase:
    """The datamodule for a suite; raises DataError without a data root."""
    return HandwritingDatabase(protocol, settings.require_data_root(f"the folder with the files of {protocol.name}"))


def differences(protocol: Protocol, prepared: Prepared) -> list[str]:
    """Differences between a cache and the published data: numbers of characters, and skipped bad records."""
    texts = []
    for role, parts in (("train", protocol.train), ("test", protocol.test)):
        count, published = prepared.count("count", role), [PARTS[part] for part in parts]
        wanted = sum(part.characters or 0 for part in published)
        about = any(part.about for part in published)
        if all(part.characters for part in published) and abs(count - wanted) > (_TOLERANCE * wanted if about else 0):
            texts.append(f"Holds {count:,} {role} characters; {'about ' if about else ''}{wanted:,} are published.")
    for bad, what in ((prepared.count("bad"), "records"), (len(prepared.meta["bad_members"]), "members of archives")):
        if bad:
            texts.append(f"{bad:,} bad {what} were left out.")
    return texts
