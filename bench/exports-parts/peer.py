"""onnxruntime's own quantizers on a model and samples that bench/exports.ts wrote.

    python peer.py FOLDER

FOLDER holds model.onnx and samples.json: a list of feeds, each {name: {"dtype", "shape", "file"}}. The results are
int8.onnx, int8-dynamic.onnx and int4-weights.onnx beside it, and errors.json with the reason where one is missing.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

folder = Path(sys.argv[1])


class Samples(CalibrationDataReader):
    def __init__(self):
        self.feeds = iter(json.loads((folder / "samples.json").read_text()))

    def get_next(self):
        feed = next(self.feeds, None)
        return feed and {
            name: np.fromfile(folder / each["file"], dtype=each["dtype"]).reshape(each["shape"])
            for name, each in feed.items()
        }


def prepared():
    path = folder / "prepared.onnx"
    try:
        quant_pre_process(str(folder / "model.onnx"), str(path), skip_symbolic_shape=True)
        return path
    except Exception:  # a model that its preparation cannot read is quantized as it is
        return folder / "model.onnx"


def static(source, target):
    quantize_static(
        source,
        target,
        Samples(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def dynamic(source, target):
    quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QInt8)


def blocks(source, target):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(source), bits=4, block_size=32, is_symmetric=True)
    quantizer.process()
    quantizer.model.save_model_to_file(target)


errors = {}
source = str(prepared())
for name, quantize in {"int8": static, "int8-dynamic": dynamic, "int4-weights": blocks}.items():
    try:
        quantize(source, str(folder / f"{name}.onnx"))
    except Exception as error:
        errors[name] = f"{type(error).__name__}: {error}"[:200]
(folder / "errors.json").write_text(json.dumps(errors))
