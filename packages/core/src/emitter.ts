import type { Attribute } from './attribute.js';
import type { DType } from './dtype.js';
import { createNode, type Node, type ValueId } from './graph.js';
import { fromNumbers } from './numbers.js';
import { floats, longs, type Tensor } from './tensor.js';

/** Where nodes are added: a draft of a graph, or a builder. */
export interface Ground {
  /** A value name (or node id) near `wish` that is not in use. */
  fresh(wish: string): string;
  /** Adds a constant under a name near `wish`. */
  constant(wish: string, tensor: Tensor): ValueId;
  /** Adds nodes after all others. */
  append(...nodes: readonly Node[]): void;
}

type Inputs = readonly (ValueId | undefined)[];
type Attributes = Readonly<Record<string, Attribute>>;

/** Adds nodes whose names begin alike. A constant of the same numbers is added once. */
export interface Emitter {
  /** Adds a node and returns its output. */
  emit(op: string, inputs: Inputs, attributes?: Attributes): ValueId;
  /** Adds a node and returns all its outputs. */
  emitAll(
    op: string,
    inputs: Inputs,
    want: { readonly outputs: number; readonly attributes?: Attributes },
  ): readonly ValueId[];
  /** Adds the node that writes a value which has its name already; nothing where that is left out. */
  emitAs(output: ValueId | undefined, op: string, inputs: Inputs, attributes?: Attributes): void;
  /** A constant list of whole numbers. */
  longs(values: readonly number[]): ValueId;
  /** A float32 constant. */
  floats(values: readonly number[], shape: readonly number[]): ValueId;
  /** A constant without axes. Default: float32. */
  scalar(value: number, dtype?: DType): ValueId;
  /** The same result for the same key. Keys that begin with `=` are the emitter's own. */
  once<T>(key: string, make: () => T): T;
  /** The same emitter under another prefix; it shares the constants. */
  under(prefix: string): Emitter;
}

/**
 * Opens an emitter. The first output of a node is named `PREFIX/OP`, further ones `PREFIX/OP_out1` and so on, the node
 * after its first output.
 *
 *     const e = emitter(draft, { prefix: node.id });
 *     const twice = e.emit('Mul', [x, e.scalar(2)]); // node.id/Mul
 */
export function emitter(ground: Ground, { prefix }: { readonly prefix: string }): Emitter {
  const results = new Map<string, unknown>();
  const once: Emitter['once'] = <T>(key: string, make: () => T): T => {
    if (!results.has(key)) results.set(key, make());
    return results.get(key) as T; // a key belongs to one maker
  };
  const list = (values: readonly number[]) => values.map((value) => (Object.is(value, -0) ? '-0' : value)).join();
  const under = (start: string): Emitter => ({
    emit: (op, inputs, attributes) =>
      addNode(ground, op, inputs, { name: `${start}/${shortName(op)}`, attributes })[0]!, // one output
    emitAll: (op, inputs, want) => addNode(ground, op, inputs, { name: `${start}/${shortName(op)}`, ...want }),
    emitAs(output, op, inputs, attributes = {}) {
      if (output === undefined) return;
      ground.append(createNode({ id: idOf(ground, output, op), op, inputs, outputs: [output], attributes }));
    },
    longs: (values) => once(`=longs ${values}`, () => ground.constant('numbers', longs(values))),
    floats: (values, shape) =>
      once(`=floats ${shape}:${list(values)}`, () => ground.constant('numbers', floats(values, shape))),
    scalar: (value, dtype = 'float32') =>
      once(`=${dtype} ${list([value])}`, () => ground.constant('number', fromNumbers(dtype, [], [value]))),
    once,
    under,
  });
  return under(prefix);
}

/** The name of a node, and its parts besides op and inputs. */
interface NodeParts {
  /** Wished name of the first output. */
  readonly name: string;
  /** Number of outputs. Default: 1. */
  readonly outputs?: number;
  readonly attributes?: Attributes | undefined;
}

/** Adds a node with outputs of fresh names, which it returns. */
export function addNode(
  ground: Pick<Ground, 'fresh' | 'append'>,
  op: string,
  inputs: Inputs,
  { name, outputs: count = 1, attributes = {} }: NodeParts,
): readonly ValueId[] {
  const outputs = Array.from({ length: count }, (_, i) => ground.fresh(i === 0 ? name : `${name}_out${i}`));
  ground.append(createNode({ id: idOf(ground, outputs[0] ?? name, op), op, inputs, outputs, attributes }));
  return outputs;
}

const idOf = ({ fresh }: Pick<Ground, 'fresh'>, output: string, op: string): string =>
  fresh(`${output}/${shortName(op)}`);

/** An op's name without its domain. */
export const shortName = (op: string): string => op.replace(/^.*::/, '');
