"""What counts as answering like eager, by hand."""

from functools import partial

import numpy as np
import pytest
from fake.rows import characters

from bench.measurements._agreement import agree, answers, disagreement


class Scripted:
    """Answers class 0 of two, but class 1 for the characters at ``others``."""

    def __init__(self, others: set[int], sure: float = 0.9) -> None:
        self.others, self.sure, self.calls = others, sure, 0

    def __call__(self, image: np.ndarray) -> np.ndarray:
        first = 1 - self.sure if self.calls in self.others else self.sure
        self.calls += 1
        return np.array([first, 1 - first], np.float32)


def prepared(others: set[int], sure: float = 0.9):
    return partial(partial, Scripted, others, sure)  # a loader is what prepare returns


def test_agreement_is_the_share_of_equal_first_answers() -> None:
    found = agree(prepared({1}, 0.75), prepared(set()), characters(8))
    assert found["agreement"] == 7 / 8
    assert found["largest_difference"] == pytest.approx(0.9 - 0.25)
    assert found["compared"] == 8


def test_ties_are_counted_and_no_reason_to_refuse() -> None:
    found = agree(prepared({1, 3, 5}, 0.504), prepared(set(), 0.504), characters(8))
    assert (found["agreement"], found["ties"]) == (5 / 8, 3)  # 0.504 and 0.496
    assert disagreement(found, "onnxruntime") is None
    surer = agree(prepared({1, 3, 5}, 0.506), prepared(set(), 0.506), characters(8))
    assert (surer["agreement"], surer["ties"]) == (5 / 8, 0)
    assert "for 3 of 8 validation characters" in str(disagreement(surer, "onnxruntime"))


def test_answers_are_the_most_probable_classes_in_order() -> None:
    assert answers(prepared({1, 3}), characters(4)) == {"top": [0, 1, 0, 1]}


def test_answers_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="validation character 0, got NaN or infinity"):
        agree(prepared(set(), float("nan")), prepared(set()), characters(2))


@pytest.mark.parametrize(("runtime", "differing", "compared", "fits"), [
    ("onnxruntime", 0, 1000, True),
    ("onnxruntime", 1, 1000, True),  # 99.9 %
    ("onnxruntime", 2, 1000, False),
    ("openvino-int8", 20, 1000, True),  # 98 %
    ("openvino-int8", 21, 1000, False),
    ("onnxruntime", 1, 256, True),  # too few to show 99.9 %
    ("onnxruntime", 2, 256, False),
    ("openvino-int8", 5, 256, True),
    ("openvino-int8", 6, 256, False),
])  # fmt: skip
def test_the_least_agreement(runtime: str, differing: int, compared: int, fits: bool) -> None:
    error = disagreement({"agreement": 1 - differing / compared, "compared": compared}, runtime)
    if fits:
        assert error is None
    else:
        least = "98.0%" if runtime.endswith("int8") else "99.9%"
        assert error == (
            f"{runtime} gives another class than eager for {differing} of {compared} validation characters; "
            f"wanted agreement of {least} or more"
        )


def test_nothing_compared_is_no_disagreement() -> None:
    assert disagreement({}, "eager") is None
