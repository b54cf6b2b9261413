"""Reads real characters to test a recogniser on: .gnt files, or images in folders that name their character."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules._characters import Characters
from datamodules._errors import DataError
from datamodules.readers.gnt import gnt_character, read_gnt
from datamodules.readers.image_tree import SUFFIXES, entries, read_images

# Which character each class of a data set shows whose folders are numbered. Named by the votes of a recogniser of all
# 3,755 characters over each class, each checked by eye on its images.
CLASS_CHARACTERS = {
    "hwdb100": "宪宠宙实宣宁室宏宬宕守宋它宗宸宛宅宫宽宦害宿宴宄容宰寮寄寇寂寡富寓寞宀寤密察寨寒寝寸寅寿寺安寻导对寰"
    "垮垯垠垃垄垂审垡垌垢垓坨垣垤垆垟垩完垒垕型垭垛垅垍垦垴垱客垲峪峃峄峂峤峻峰庠庶宓庄庀庐庞庤庆废庳庼度"
}
WANTED = "a folder of .gnt files, or a folder or zip of images in test/CLASS with CLASS a character"


@dataclass(frozen=True)
class RealCharacters:
    """Images, each with the character that it shows."""

    images: Sequence[NDArray[np.uint8]]
    characters: Sequence[str]

    def labelled(self, labels: Sequence[str]) -> Characters:
        """Those in a label space, packed."""
        index = {character: label for label, character in enumerate(labels)}
        pairs = [(image, index[c]) for image, c in zip(self.images, self.characters, strict=True) if c in index]
        return Characters.pack([image for image, _ in pairs], [label for _, label in pairs])

    def outside(self, labels: Sequence[str]) -> Characters:
        """Those outside a label space, packed; their labels mean nothing."""
        others = [image for image, c in zip(self.images, self.characters, strict=True) if c not in set(labels)]
        return Characters.pack(others, [0] * len(others))


def read_real_characters(root: Path) -> RealCharacters:
    """All records of the .gnt files below a folder, or the images of the test part of a folder or zip of images.

    Raises:
        DataError: neither is there, or a file is damaged.
    """
    files = sorted(root.rglob("*.gnt")) if root.is_dir() else []
    if files:
        records = [record for file in files for record in read_gnt(file)]
        return RealCharacters([record.image for record in records], [gnt_character(r.tag) for r in records])
    if not root.exists():
        raise DataError(root, 0, WANTED, "nothing there")
    dataset = root.resolve().stem if root.suffix.lower() == ".zip" else root.resolve().name
    found = [
        (path, class_character(dataset, path.parent.name))
        for path, is_folder in entries(root)
        if not is_folder and path.suffix.lower() in SUFFIXES and "test" in path.parts[:-2]
    ]
    named = sorted((path, character) for path, character in found if character)
    if not named:
        raise DataError(root, 0, WANTED, f"{len(found)} test images, none in a folder that names a character")
    return RealCharacters(list(read_images(root, [path for path, _ in named])), [c for _, c in named])


def class_character(dataset: str, folder: str) -> str | None:
    """The character of a class folder: its own name if that is one character, else that of a known data set's list."""
    if len(folder) == 1:
        return folder
    known = CLASS_CHARACTERS.get(dataset, "")
    return known[int(folder)] if folder.isascii() and folder.isdigit() and int(folder) < len(known) else None
