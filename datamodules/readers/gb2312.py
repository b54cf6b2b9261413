"""The 3,755 characters of GB2312 level 1: classes of the HWDB1.1 and ICDAR-2013 protocols."""

FIRST_ROW, LAST_ROW = 16, 55  # GB2312-80: level 1 fills rows 16 to 55, in order of pronunciation
CELLS = 94  # code points a row
LAST_ROW_CELLS = 89  # GB2312-80: the last five cells of row 55 are empty
EUC_OFFSET = 0xA0  # EUC-CN adds it to row and cell
# In GB2312 order, from 啊 to 座.
LEVEL1 = tuple(
    bytes((EUC_OFFSET + row, EUC_OFFSET + cell)).decode("gb2312")
    for row in range(FIRST_ROW, LAST_ROW + 1)
    for cell in range(1, (LAST_ROW_CELLS if row == LAST_ROW else CELLS) + 1)
)
