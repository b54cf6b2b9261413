"""Ways to store a trained network, by the names that follow a system's: ``u8-4``, ``c32``, ``c-within1``."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from datamodules._plugins import Registry
from tasks.compression.codecs._base import Settings

CODECS = Registry("tasks.compression.codecs")

_LEARNED = re.compile(r"(.+?)-(?:conventional|(retrained)(?:-on-([a-z0-9]+(?:-[a-z0-9]+)*))?)")
_LEARNED_FORM = (
    "any of them with -retrained (what is kept in float32 then learns its parent's answers to images without labels) "
    "or -conventional (it learns the labels), such as c4-retrained; -retrained-on-NAME: on the images of another data "
    "set, which --unlabelled names"
)


@dataclass(frozen=True)
class Storage:
    """How a network is stored.

    Attributes:
        name: as system names spell it.
        codec: name of the codec that quantises its weights.
        settings: of the codec.
        learned: how the tensors that are kept in float32 learn afterwards; empty where they do not.
        images: whose images without labels they learn from; empty for those of the training part.
    """

    name: str
    codec: str
    settings: Settings
    learned: Literal["", "retrained", "conventional"] = ""
    images: str = ""

    def on_images(self, images: str) -> "Storage":
        """The same storage under the name that says whose images without labels it learns from."""
        return replace(self, name=f"{self.name}-on-{images}", images=images)


@lru_cache
def parse_storage(name: str) -> Storage | None:
    """The storage of this name; None where there is none."""
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
    """How names of storages are spelt, a text for each form."""
    own = (form for codec in CODECS.names() for form in CODECS.literals(codec)["FORMS"])
    return (*own, _LEARNED_FORM)
