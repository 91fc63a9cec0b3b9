"""onnxruntime's own quantizers on a model and samples that bench/exports.ts wrote.

    python peer.py FOLDER

FOLDER holds model.onnx and samples.json: a list of feeds, each {name: {"dtype", "shape", "file"}}. The results are
int8.onnx, int8-dynamic.onnx and int4-weights.onnx beside it, and errors.json with the reason where one is missing.

What would keep its quantizers from a model is put right first, so that both quantize the same layers: opsets before
13, stale shapes, and Gemm, which its quantizer of blocks leaves float.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
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
    given = modern(folder / "model.onnx")
    try:
        quant_pre_process(str(given), str(path), skip_symbolic_shape=True)
        # Its optimizer turns weights of Gemm and leaves the old shapes, with which quantize_dynamic fails.
        model = onnx.load(path)
        del model.graph.value_info[:]
        onnx.save(model, path)
        return path
    except Exception:  # a model that its preparation cannot read is quantized as it is
        return given


def modern(path):
    """The model at opset 13 or later: scales per channel are not allowed before, and it would write them."""
    model = onnx.load(path)
    if all(each.domain not in ("", "ai.onnx") or each.version >= 13 for each in model.opset_import):
        return path
    try:
        onnx.save(onnx.version_converter.convert_version(model, 13), folder / "modern.onnx")
        return folder / "modern.onnx"
    except Exception:
        return path


def with_matmuls(model):
    """Gemm with constant weights as MatMul and Add, as its quantizer of blocks takes MatMul alone."""
    constants = {each.name: each for each in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        plain = attributes.get("alpha", 1) == 1 and attributes.get("beta", 1) == 1 and not attributes.get("transA", 0)
        if node.op_type != "Gemm" or not plain or node.input[1] not in constants:
            nodes.append(node)
            continue
        weight = onnx.numpy_helper.to_array(constants[node.input[1]])
        name = f"{node.output[0]}_weight"
        matrix = np.ascontiguousarray(weight.T if attributes.get("transB", 0) else weight)
        model.graph.initializer.append(onnx.numpy_helper.from_array(matrix, name))
        biased = len(node.input) > 2 and node.input[2]
        product = f"{node.output[0]}_product" if biased else node.output[0]
        nodes.append(onnx.helper.make_node("MatMul", [node.input[0], name], [product], name=f"{node.name}_matmul"))
        if biased:
            nodes.append(onnx.helper.make_node("Add", [product, node.input[2]], [node.output[0]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    read = {value for node in nodes for value in node.input}
    kept = [each for each in model.graph.initializer if each.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


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

    quantizer = MatMulNBitsQuantizer(with_matmuls(onnx.load(source)), bits=4, block_size=32, is_symmetric=True)
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
