"""ONNX resize: pads a character to a square and resamples it, as ``fit_matrix`` and ``resample`` do, in a graph."""

import onnx
import onnx.parser

from datamodules._image import PAPER

RESIZE = "fit/"  # prefix of the resize's values in the graph of a recogniser
OPSET = 20  # of the network's graph too; ONNX Runtime from 1.17, OpenVINO from 2024

# The resize multiplies by two matrices, one per axis: rows are output pixels, columns native pixels. An entry is the
# overlap of a native pixel with a box around the centre of the output pixel. The box is as wide as the output pixel,
# and at least one native pixel: this is the area filter for shrinking and bilinear interpolation for enlarging.
# Two intervals of lengths b >= 1 and 1 whose centres are d apart overlap by clip((b + 1) / 2 - d, 0, 1). Both axes are
# computed together, (2, ...), height first. Ink is 255 - grey, so output pixels without overlap become paper. The
# character is first padded to whole blocks, because some runtimes compile again for each new shape.
_GRAPH = """
<ir_version: 10, opset_import: ["" : {opset}]>
fit (uint8[{native}] image) => (uint8[n, {channels}, {size}, {size}] images)
<float zero = {{0}}, float half = {{0.5}}, float one = {{1}}, float paper = {{{paper}}}, float size = {{{size}}},
 float block = {{{block}}}, float[1, {size}] centres = {{{centres}}}, uint8 blank = {{{paper}}}, int64[1] last = {{-1}},
 int64[4] unpadded = {{0, 0, 0, 0}}, int64[4] planes = {{-1, {channels}, {size}, {size}}}>
{{
    shape = Shape <start = 1, end = 3> (image)
    native = Cast <to = 1> (shape)  length = Unsqueeze (native, last)  side = ReduceMax <keepdims = 0> (native)

    enlarged = Mul (length, size)  exact = Div (enlarged, side)
    rounded = Round (exact)  covered = Max (rounded, one)
    uncovered = Sub (size, covered)  margin = Mul (uncovered, half)  offset = Floor (margin)

    step = Div (length, covered)
    box = Max (step, one)  reach = Mul (box, half)  farthest = Sub (length, reach)
    place = Sub (centres, offset)  centre = Mul (place, step)
    kept_low = Max (centre, reach)  kept = Min (kept_low, farthest)

    moved = Sub (kept, centre)  inward = Abs (moved)  inside = Less (inward, reach)
    touching = Add (reach, half)  extent = Where (inside, touching, zero)

    blocks = Div (side, block)  whole_blocks = Ceil (blocks)  canvas = Mul (whole_blocks, block)
    pixels = Range (half, canvas, one)
    kept_column = Unsqueeze (kept, last)  extent_column = Unsqueeze (extent, last)
    apart = Sub (kept_column, pixels)  distance = Abs (apart)
    unbounded = Sub (extent_column, distance)  overlap = Clip (unbounded, zero, one)
    rows, columns = Split <axis = 0, num_outputs = 2> (overlap)
    across = Transpose <perm = [0, 2, 1]> (columns)

    {planar}
    canvas_side = Cast <to = 7> (canvas)  missing = Sub (canvas_side, shape)
    pads = Concat <axis = 0> (unpadded, missing)  padded = Pad (planar, pads, blank)
    grey = Cast <to = 1> (padded)  ink = Sub (paper, grey)
    tall = MatMul (rows, ink)  summed = MatMul (tall, across)
    area = ReduceProd <keepdims = 0> (box)  mean = Div (summed, area)
    level = Sub (paper, mean)  nearest = Round (level)
    stacked = Cast <to = 2> (nearest)  images = Reshape (stacked, planes)
}}
"""
_BLOCK = 32  # pixels; OpenVINO was measured to spend 4 ms on each new shape
_NATIVE = {1: "n, h, w", 3: "n, h, w, 3"}
# To planes (p, h, w); the characters of a batch all have the same size.
_PLANAR = {
    1: "planar = Identity (image)",
    3: "split = Transpose <perm = [0, 3, 1, 2]> (image)  all = Constant <value_ints = [-1]> ()  "
    "flat = Concat <axis = 0> (all, shape)  planar = Reshape (split, flat)",
}


def resize_graph(channels: int, size: int) -> onnx.ModelProto:
    """A graph that pads characters to squares with paper and resamples them to the input size.

    Input ``image``, uint8 (n, h, w), or (n, h, w, 3) for three channels: n characters of one native size, any h and w;
    output ``images``, uint8 (n, C, size, size), within two grey levels of
    ``resample(image, fit_matrix(h, w, size), size)``. Characters of (size, size) are unchanged.
    """
    text = _GRAPH.format(
        opset=OPSET, channels=channels, size=size, paper=PAPER, block=_BLOCK, native=_NATIVE[channels],
        planar=_PLANAR[channels], centres=", ".join(f"{pixel + 0.5}" for pixel in range(size)),
    )  # fmt: skip
    graph: onnx.ModelProto = onnx.parser.parse_model(text)
    return graph
