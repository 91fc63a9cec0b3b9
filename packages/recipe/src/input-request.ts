import { type Dim, didYouMean, type Graph, problem, type SettledInputs } from '@espalier/core';
import { isOpen, openSizes, sizeName } from '@espalier/datasets';
import { setInputShapes } from '@espalier/ops';
import { portsOf } from './model-ports.js';

/** Sizes and content of inputs that the user settled. They win over everything that is found or made. */
export interface InputRequest extends SettledInputs {
  /** Sizes of open dimensions, by name (`height`) or by place (`image[2]`). */
  readonly dims: ReadonlyMap<string, number>;
  /** Whole shapes of inputs, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * Refuses names that no model has, and arrays of another rank than their input.
 * @throws INPUT_UNKNOWN with the nearest name, INPUT_SHAPE.
 */
export function checkInputRequest(graphs: readonly Graph[], request: InputRequest): void {
  const ports = graphs.flatMap(portsOf);
  const dims = [...new Set(openSizes(ports).map(({ name }) => name))];
  const inputs = [...new Set(ports.map(({ name }) => name))];
  const places = ports.flatMap((port) => port.shape?.map((_, axis) => `${port.name}[${axis}]`) ?? []);
  for (const name of request.dims.keys()) {
    if (!dims.includes(name) && !places.includes(name)) throw unknownName('--dims', name, dims);
  }
  for (const name of [...request.values.keys(), ...shapesOf(request).keys()]) {
    if (!inputs.includes(name)) throw unknownName('--input', name, inputs);
  }
  for (const [name, shape] of shapesOf(request)) {
    const port = ports.find((each) => each.name === name);
    if (!port?.shape || port.shape.length === shape.length) continue;
    throw problem('INPUT_SHAPE', {
      where: `--input ${name}`,
      expected: `${port.shape.length} axes, as [${port.shape.join(',')}]`,
      found: `[${shape.join(',')}]`,
    });
  }
}

/** The graph with the sizes of the request in place of open dimensions; names of other models are passed over. */
export function sizedGraph(graph: Graph, request: InputRequest): Graph {
  const whole = shapesOf(request);
  const named = new Map(request.dims);
  // An array settles the named dimensions of its input wherever else they stand.
  for (const port of portsOf(graph)) {
    const shape = whole.get(port.name);
    port.shape?.forEach((dim, axis) => {
      if (shape && isOpen(dim) && !named.has(sizeName(port, axis))) named.set(sizeName(port, axis), shape[axis]!);
    });
  }
  const shapes = new Map<string, readonly Dim[]>();
  for (const port of portsOf(graph)) {
    const before = port.shape;
    const after =
      whole.get(port.name) ??
      before?.map(
        (dim, axis) =>
          named.get(`${port.name}[${axis}]`) ?? (isOpen(dim) ? (named.get(sizeName(port, axis)) ?? dim) : dim),
      );
    if (after?.some((dim, axis) => dim !== before?.[axis])) shapes.set(port.name, after);
  }
  return shapes.size ? setInputShapes(graph, shapes) : graph;
}

/** Shapes that were given, also by arrays. */
const shapesOf = ({ shapes, tensors }: InputRequest): ReadonlyMap<string, readonly number[]> =>
  new Map([...shapes, ...[...tensors].map(([name, { shape }]) => [name, shape] as const)]);

const unknownName = (where: string, name: string, known: readonly string[]) =>
  problem('INPUT_UNKNOWN', {
    where,
    expected: known.length ? `one of ${known.join(', ')}` : 'no sizes: the model leaves none open',
    found: `"${name}"`,
    fix: didYouMean(name, known),
  });
