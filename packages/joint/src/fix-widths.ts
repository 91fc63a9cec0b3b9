import {
  createNode,
  editGraph,
  floats,
  type Graph,
  int,
  roundHalfEven,
  scalar,
  type Tensor,
  text,
  toFloats,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { latticeAt } from './lattice-at.js';
import { type Quantizer, quantizersOf } from './quantizers-of.js';

/** The widest codes that files hold. */
const widestCode = 8;

/**
 * Turns parameterized quantizers of whole widths into fake-quantizers that compute the same, which the quantizer
 * `integers` writes. Weights become whole numbers of their steps: sgn(x) d round(c(x) / d) is one whatever the exponent
 * is. A weight of more than 8 bits stays a float32 constant on its grid.
 */
export function fixWidths(graph: Graph, widthOf: (quantizer: Quantizer) => number): Graph {
  const draft = editGraph(graph);
  for (const quantizer of quantizersOf(graph)) {
    const { node, step, signed, weight } = quantizer;
    const bits = widthOf(quantizer);
    const [output] = node.outputs;
    if (weight === undefined) {
      const zero = signed ? 2 ** (bits - 1) : 0;
      const inputs = [node.inputs[0], step, draft.constant(`${step}_zero_point`, scalar(zero))];
      const attributes = {
        bits: int(bits),
        signed: int(0),
        role: text('activation'),
        ...(signed && bits < 8 ? { narrow: int(1) } : {}),
      };
      draft.replace(
        node.id,
        createNode({ id: node.id, op: 'espalier::FakeQuantize', inputs, outputs: [output], attributes }),
      );
      continue;
    }
    const settled = draft.constant(`${weight}_on_grid`, onGrid(graph, quantizer));
    if (bits > widestCode) {
      draft.replace(node.id);
      draft.redirect(output!, settled); // a quantizer has an output
      continue;
    }
    const axis = node.attributes.get('axis');
    const attributes = {
      bits: int(bits),
      role: text('weight'),
      narrow: int(1),
      ...(quantizer.channels > 1 && axis ? { axis } : {}),
    };
    draft.replace(
      node.id,
      createNode({ id: node.id, op: 'espalier::FakeQuantize', inputs: [settled, step], outputs: [output], attributes }),
    );
  }
  return inferShapes(draft.finish());
}

/** The numbers that a weight's quantizer makes of it, in float32 as at run time. */
function onGrid(graph: Graph, quantizer: Quantizer): Tensor<'float32'> {
  const weight = graph.constants.get(quantizer.weight!)!; // it quantizes a constant
  const at = latticeAt(graph.constants, quantizer);
  const lattices = Array.from({ length: quantizer.channels }, (_, channel) => at(channel));
  const values = Float32Array.from(toFloats(weight), (x, i) => {
    const { step, limit, exponent } = lattices[Math.floor(i / quantizer.inner) % quantizer.channels]!;
    const held = Math.min(Math.abs(x), limit);
    const clipped = exponent === 1 ? held : held ** exponent;
    return Math.sign(x) * roundHalfEven(Math.fround(clipped / step)) * step;
  });
  return floats(values, weight.shape);
}
