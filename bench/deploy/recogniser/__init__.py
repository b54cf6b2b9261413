"""The recogniser that is part of this package: all 3,755 characters of GB2312 level 1, learned from drawn characters.

``hanzi.onnx`` is the file that its row on the board ``hccr-synthetic_hands-to-hwdb100`` was measured with. These
commands make it; ``hwdb100.zip`` holds images of 100 real characters, to test on::

    npm install --prefix glyphs hanzi-writer-data@2.0.1 @fontsource/ma-shan-zheng@5.3.1 \
        @fontsource/zhi-mang-xing@5.3.0 @fontsource/liu-jian-mao-cao@5.3.0 @fontsource/long-cang@5.3.0
    bench run --suite hccr --scale full --dataset synthetic_hands --glyphs glyphs --system quill
    mkdir weights && cp runs/hccr/synthetic_hands/full/quill-s0/weights.safetensors weights/quill.safetensors
    bench run --suite hccr --scale full --dataset synthetic_to_real --data-root hwdb100.zip --glyphs glyphs \
        --system quill+given --weights weights --runtime onnxruntime-w8
    bench export quill+given --dataset synthetic_hands-to-hwdb100 --scale full --runtime onnxruntime-w8 \
        --out bench/deploy/recogniser/hanzi.onnx

The fonts are under the SIL Open Font License 1.1, hanzi-writer-data under the Arphic Public License. SHA-256 of the
packages, in that order::

    72baf3d82b114e60d6e40ea05f24d2262a05cd39d544e2f322ba2fceb7beff15
    f441a8e137c210da78e8a287616227b11771ff8bbc4a6e506a0f5f84790ca272
    903fe57d53c97001563dfa380e91c3ceaacc2f65485f93c4741d34470aedb0b9
    bbffc6b7e13b1e10eff328df1d9b16ba2697b6237b34b67e9aa0450fb0b9a621
    f37d7fc6e0ed15718e03fe9edd5f8b0117d6d011d23c15bf2d35b7b00f9c4e26
"""
