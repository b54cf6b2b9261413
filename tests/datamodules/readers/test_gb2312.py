"""The level-1 characters against the published ends of their rows."""

from datamodules.readers.gb2312 import LEVEL1


def test_level_1_has_3755_different_characters_from_a_to_zuo() -> None:
    assert len(LEVEL1) == len(set(LEVEL1)) == 3755
    assert LEVEL1[0] == "啊"
    assert LEVEL1[-1] == "座"


def test_rows_start_where_the_standard_starts_them() -> None:
    # GB2312-80: 16-01 啊, 17-01 薄, 55-01 住; each full row has 94 characters.
    assert LEVEL1[94] == "薄"
    assert LEVEL1[39 * 94] == "住"


def test_level_2_and_rare_characters_are_no_classes() -> None:
    assert not set("亍宬宀龘宓") & set(LEVEL1)
