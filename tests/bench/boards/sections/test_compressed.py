"""The board's section on rows made from others: paired differences, sizes, and the smallest file near its parent."""

from fake.boards import boards
from fake.records import record


def made(system, accuracy, size, difference, storage=True, parent="fire:gwap"):
    found = record(system, accuracy, 1.0)
    found["measurements"]["size_bytes"]["value"] = size
    low, value, high = difference
    found["parent"] = {"system": parent, "accuracy": {"difference": value, "ci_low": low, "ci_high": high}}
    if storage:
        found["storage"] = {
            "name": system.split("+")[1], "entropy_bytes": 0.5 * size,
            "hdf5": {"codes": 0.75 * size, "floats": 2 * size},
        }  # fmt: skip
    return found


def section(tmp_path, *records):
    parent = record("fire:gwap", 0.93, 1.0)
    parent["measurements"]["size_bytes"]["value"] = 4_000_000
    page = boards(tmp_path, parent, *records)["hccr.md"]
    _, _, after = page.partition("## Compared with the parent row")
    return after.split("## ")[0]


def cells(text):
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "| `" in line]
    return {one[0].strip("`"): one[1:] for one in found}


def test_each_stands_beside_its_parent_smallest_first(tmp_path):
    text = section(
        tmp_path,
        made("fire:gwap+u8-4", 0.9275, 1_000_000, (-0.005, -0.0025, 0.0)),
        made("fire:gwap+c4", 0.02, 400_000, (-0.92, -0.91, -0.90)),
    )
    assert cells(text) == {
        "fire:gwap+c4": ["`fire:gwap`", "2.00", "-91.00 [-92.00, -90.00]", "0.400", "10.00", "0.200", "0.300", "0.800"],
        "fire:gwap+u8-4": ["`fire:gwap`", "92.75", "-0.25 [-0.50, 0.00]", "1.00", "25.00", "0.500", "0.750", "2.00"],
    }
    assert list(cells(text)) == ["fire:gwap+c4", "fire:gwap+u8-4"]


def test_the_smallest_is_one_that_surely_loses_little(tmp_path):
    text = section(
        tmp_path,
        made("fire:gwap+c8", 0.925, 500_000, (-0.011, -0.005, 0.001)),  # may lose more than a point
        made("fire:gwap+c16", 0.924, 600_000, (-0.010, -0.006, 0.002)),
        made("fire:gwap+c32", 0.93, 700_000, (-0.001, 0.0, 0.001)),
        made("fire_cascade", 0.931, 300_000, (0.0, 0.001, 0.002), storage=False),  # not stored in fewer bits
    )
    assert "- Smallest within 1 point of `fire:gwap`, at 95 %: `fire:gwap+c16`, 0.600 MB.\n" in text
    assert text.count("- Smallest") == 1
    assert cells(text)["fire_cascade"][-3:] == ["—", "—", "—"]


def test_rows_of_their_own_need_no_section(tmp_path):
    assert section(tmp_path) == ""
