"""One variant of each comparator as a user gets it: the ONNX file answers as the network does."""

import numpy as np
import onnx
import pytest
import torch

from bench.deploy.onnx_model import onnx_model
from bench.deploy.onnx_session import open_session
from tasks.architectures import ARCHITECTURES
from tasks.normalised import Normalised
from tasks.recogniser import Recogniser

# Networks with early exits: tests/bench/deploy/test_onnx_cascade.py.
EXPORTED = [
    "hybrid_mobilenet:fmp-d2-a0.25",
    "cnn9layer:lowrank",
    "directmap_cnn",
    "hccr_googlenet:gabor",
    "melnyk_net",
    "mcdnn",
    "dlqdf:dlqdf",
]


@pytest.mark.slow
@pytest.mark.parametrize("system", EXPORTED)
def test_onnx_answers_as_eager_does(system):
    torch.manual_seed(0)
    name, _, variant = system.partition(":")
    module = ARCHITECTURES.load(name)
    channels, size = module.INPUT
    recogniser = Recogniser(Normalised(module.build(variant, 12, channels, size), module.LAYOUT), channels, size)
    session = open_session(onnx.load_from_string(onnx_model(recogniser)).SerializeToString())
    rng = np.random.default_rng(0)
    for _ in range(3):  # at the input's own size the resize changes nothing
        image = rng.integers(0, 256, (size, size) if channels == 1 else (size, size, 3), dtype=np.uint8)
        (found,) = session.run(None, {"image": image[None]})
        np.testing.assert_allclose(found[0], recogniser(image), atol=1e-4)
