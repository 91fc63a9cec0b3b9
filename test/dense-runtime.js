/**
 * A runtime that knows acme::Dense (examples/plugin-dense), for the test of that package: an executor as a third
 * party writes it, in plain JavaScript without imports. It computes x wᵀ, Relu, and weights behind their scales.
 */
const create = () => ({
  id: 'dense',
  describe: async () => 'dense-runtime 1.0.0',
  open: async (graph) => sessionOf(graph),
  close: async () => {},
});

const facts = { kind: 'executor', id: 'dense', about: 'Runs acme::Dense, slowly.', options: {} };
export const plugins = [Object.assign(create, facts)];

function sessionOf(graph) {
  const ports = (names) => names.map((name) => ({ name, ...graph.values.get(name) }));
  return {
    inputs: ports(graph.inputs),
    outputs: ports(graph.outputs),
    async run(feeds, fetch = graph.outputs) {
      const values = new Map([...graph.constants, ...feeds]);
      for (const { op, inputs, outputs } of graph.nodes)
        values.set(outputs[0], ops[op](...inputs.map((name) => values.get(name))));
      return new Map(fetch.map((name) => [name, values.get(name)]));
    },
    close: async () => {},
  };
}

const float = (shape, data) => ({ dtype: 'float32', shape, data: Float32Array.from(data) });
const ops = {
  Identity: (x) => x,
  Relu: ({ shape, data }) =>
    float(
      shape,
      data.map((value) => Math.max(0, value)),
    ),
  /** One scale for each row of codes. */
  DequantizeLinear: ({ shape, data }, scale) =>
    float(
      shape,
      Array.from(data, (code, i) => Number(code) * scale.data[Math.floor(i / shape[1])]),
    ),
  'acme::Dense'(x, w) {
    const [n, size] = x.shape;
    const [outputs] = w.shape;
    const y = Array.from({ length: n * outputs }, (_, at) => {
      const [row, output] = [Math.floor(at / outputs), at % outputs];
      let sum = 0;
      for (let i = 0; i < size; i++) sum += x.data[row * size + i] * w.data[output * size + i];
      return sum;
    });
    return float([n, outputs], y);
  },
};
