"""CIFAR-10: 50,000 training and 10,000 test photographs of ten classes, 32×32 in colour."""

from functools import partial

from datamodules._base import DataSettings
from datamodules._cifar import Cifar
from datamodules.readers.cifar import Form, Layout

SOURCE = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, 2009"
LICENCE = "none stated by its authors, who ask that the technical report be cited"
SYNTHETIC = False
# https://www.cs.toronto.edu/~kriz/cifar.html, "Dataset layout", and the files themselves.
LAYOUT = Layout(
    name="cifar10", title="CIFAR-10", source=SOURCE, licence=LICENCE, torchvision="CIFAR10",
    python=Form("cifar-10-batches-py", tuple(f"data_batch_{n}" for n in range(1, 6)), ("test_batch",), "batches.meta"),
    binary=Form(
        "cifar-10-batches-bin", tuple(f"data_batch_{n}.bin" for n in range(1, 6)), ("test_batch.bin",),
        "batches.meta.txt", label_bytes=(10,),
    ),
    label_key="labels", names_key="label_names",
    names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    whole=(50_000, 10_000),
)  # fmt: skip
CIFAR10 = partial(Cifar, LAYOUT)


def build(settings: DataSettings) -> Cifar:
    """The datamodule for a suite."""
    return Cifar(LAYOUT, settings.data_root)
