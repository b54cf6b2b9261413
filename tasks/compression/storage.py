"""Parses storage names at the end of system names, such as ``u8-4``, ``c32`` and ``c-within1``."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from datamodules._plugins import Registry
from tasks.compression.codecs._base import Settings

CODECS = Registry("tasks.compression.codecs")

_LEARNED = re.compile(r"(.+?)-(?:conventional|(retrained)(?:-on-([a-z0-9]+(?:-[a-z0-9]+)*))?)")
_LEARNED_FORM = (
    "any of them followed by -retrained (the tensors kept in float32 are then trained to reproduce the outputs of the "
    "uncompressed network on unlabelled images) or -conventional (they are trained on labels), such as c4-retrained; "
    "-retrained-on-NAME uses the images of another data set, named by --unlabelled"
)


@dataclass(frozen=True)
class Storage:
    """How a network is stored."""

    name: str  # as in system names
    codec: str  # name of the codec that quantises the weights
    settings: Settings  # of the codec
    learned: Literal["", "retrained", "conventional"] = ""  # how the float32 tensors are trained; empty if they are not
    images: str = ""  # data set of the unlabelled images for this training; empty for those of the training part

    def on_images(self, images: str) -> "Storage":
        """The same storage, retrained on the unlabelled images of another data set, which its name includes."""
        return replace(self, name=f"{self.name}-on-{images}", images=images)


@lru_cache
def parse_storage(name: str) -> Storage | None:
    """The storage of this name, or None."""
    if match := _LEARNED.fullmatch(name):
        stored = parse_storage(match[1])
        if stored is None or stored.learned:
            return None
        return replace(stored, name=name, learned=match[2] or "conventional", images=match[3] or "")  # type: ignore[arg-type]
    for codec in CODECS.names():
        settings = CODECS.load(codec).parse(name)
        if settings is not None:
            return Storage(name, codec, settings)
    return None


def storage_forms() -> tuple[str, ...]:
    """Spelling of storage names for messages, one text for each form."""
    return (*(form for codec in CODECS.names() for form in CODECS.literals(codec)["FORMS"]), _LEARNED_FORM)
