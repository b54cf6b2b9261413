"""The recogniser that is part of this package: all 3,755 characters of GB2312 level 1, learned from drawn characters.

``hanzi.onnx`` is written by these commands, and ``record.json`` is the record of the run::

    npm install --prefix glyphs hanzi-writer-data@2.0.1 @fontsource/ma-shan-zheng@5.3.1 \
        @fontsource/zhi-mang-xing@5.3.0 @fontsource/liu-jian-mao-cao@5.3.0 @fontsource/long-cang@5.3.0
    bench run --suite hccr --scale full --dataset synthetic_hands --glyphs glyphs --system quill \
        --runtime onnxruntime-w8
    bench export quill --dataset synthetic_hands --scale full --runtime onnxruntime-w8 \
        --out bench/deploy/recogniser/hanzi.onnx
"""
