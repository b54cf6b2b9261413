"""CIFAR-100: 50,000 training and 10,000 test photographs of a hundred classes, 32×32 in colour."""

from functools import partial

from datamodules._base import DataSettings
from datamodules._cifar import Cifar
from datamodules.readers.cifar import Form, Layout

SOURCE = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, 2009"
LICENCE = "none stated by its authors, who ask that the technical report be cited"
SYNTHETIC = False
# https://www.cs.toronto.edu/~kriz/cifar.html, "Dataset layout", and the files themselves.
LAYOUT = Layout(
    name="cifar100", title="CIFAR-100", source=SOURCE, licence=LICENCE, torchvision="CIFAR100",
    python=Form("cifar-100-python", ("train",), ("test",), "meta"),
    # label bytes: coarse, fine
    binary=Form("cifar-100-binary", ("train.bin",), ("test.bin",), "fine_label_names.txt", label_bytes=(20, 100)),
    label_key="fine_labels", names_key="fine_label_names", names=tuple(str(label) for label in range(100)),
    whole=(50_000, 10_000),
)  # fmt: skip
CIFAR100 = partial(Cifar, LAYOUT)


def build(settings: DataSettings) -> Cifar:
    """The datamodule for a suite."""
    return Cifar(LAYOUT, settings.data_root)
