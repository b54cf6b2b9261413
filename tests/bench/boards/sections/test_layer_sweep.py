"""The board's section on chosen centroids: which layers suffer, and a picture of each layer's sweep."""

from typing import Any

from fake.boards import boards
from fake.records import record

# Points lost alone at 256, 128 … centroids, as far as a sweep went.
LOST = {
    "network.conv1.0.weight": [0, 0.2, 0.6, 1.6],
    "network.fire2.squeeze.0.weight": [-0.1, 0, 0, 0.2, 0.3, 0.9, 12.0],
    "network.classifier.weight": [0] * 9,
    "network.tiny.weight": [],  # in float32 it is as small
    "network.fragile.weight": [3.0],
}
CLUSTERS = dict(zip(LOST, (64, 16, 1, None, None), strict=True))


def chosen(system: str = "fire:gwap+c-within1", accuracy: float = 0.9, **changes: Any) -> dict[str, Any]:
    sweep = {
        name: [
            {"clusters": 256 >> step, "bytes": 1000 - 100 * step, "lost": points, "changed": 0.01 * step}
            for step, points in enumerate(lost)
        ]
        for name, lost in LOST.items()
    }
    storage = {
        "name": system.split("+")[-1], "numbers": 10_000, "entropy_bytes": 5_000, "clusters": CLUSTERS,
        "validation": {"images": 1000, "accuracy": {"answer": 0.951}, "lost": {"answer": 0.3, "mid_a": 0.4},
                       "lost_and_margin": 0.98},
        "evaluations": 123, "sweep_images": 334, "sweep": sweep,
    }  # fmt: skip
    return record(system, accuracy, 1.0, storage={**storage, **changes})


def test_the_board_says_what_was_chosen_and_which_layers_suffer(tmp_path):
    page = boards(tmp_path, chosen(), record("fire:gwap", 0.91, 1.0))["hccr.md"]
    section = page.split("## Chosen centroids")[1].split("## ")[0]
    (line,) = [line for line in section.splitlines() if "`fire" in line]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "`fire:gwap+c-within1`", "3 of 5", "1–64", "0.40 (0.98) of 1,000 characters", "123",
        "fragile none (3.00), conv1.0 64 (1.60), fire2.squeeze.0 8 (12.00), classifier 1, tiny 0",
    ]  # fmt: skip


def test_boards_without_a_choice_have_no_such_section(tmp_path):
    plain = record("fire:gwap+c32", storage={"name": "c32", "numbers": 10, "entropy_bytes": 5})
    found = boards(tmp_path, plain, record("fire:gwap"))
    assert "Chosen centroids" not in found["hccr.md"]
    assert not [name for name in found if "storage" in name]
