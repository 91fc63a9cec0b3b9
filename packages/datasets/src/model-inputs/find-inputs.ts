import {
  createRandom,
  EspalierError,
  type Graph,
  isFloat,
  type Port,
  type Session,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { type FillWishes, fillOf, otherFills } from './fill-of.js';
import { fillTensor } from './fill-tensor.js';
import type { Fill, InputPlan, PlannedInput } from './input-plan.js';
import { isOpen, openSizes, sizeName } from './open-sizes.js';
import { proposeSizes, type Sizes } from './propose-sizes.js';

/** The user's settings for the inputs; they are used first and never overruled. */
export interface InputWishes extends FillWishes {
  /** Sizes of open dimensions by name (`height`), or of those without one by place (`x[2]`). */
  readonly dims: ReadonlyMap<string, number>;
  /** Inputs that are one number everywhere. */
  readonly values: ReadonlyMap<string, number>;
  /** Inputs as whole arrays. */
  readonly tensors?: ReadonlyMap<string, Tensor>;
}

/** A plan that was run, or why there is none. */
export type FoundInputs =
  | { readonly plan: InputPlan; readonly finite: boolean }
  | { readonly plan?: undefined; readonly reason: string };

const mostRuns = 80;
const mostSeconds = 60;

/**
 * Finds inputs that a model accepts: sizes for its open dimensions and values for every input, from what the graph
 * demands and what names mean, then by running the model until it computes finite numbers.
 */
export async function findInputs(
  ports: readonly Port[],
  wishes: InputWishes,
  model: { readonly graph?: Graph; readonly session?: Session } = {},
): Promise<FoundInputs> {
  const { graph, session } = model;
  const obstacle = ports.find(({ container }) => container);
  if (obstacle) return { reason: `input "${obstacle.name}" is not a tensor` };
  const unranked = ports.find(({ shape }) => !shape);
  if (unranked && !session) return { reason: `the rank of input "${unranked.name}" is not known` };
  const proposals = plansOf(ports, wishes, graph);
  if (!session) return firstPlan(proposals);
  const found = await tried(ports, { proposals, session, wishes });
  if (!found.plan?.stacked || (await takesRows(session, found.plan))) return found;
  return { ...found, plan: { ...found.plan, stacked: false } };
}

/** Whether the model takes two samples at once: an exporter may have fixed the one that it traced. */
async function takesRows(session: Session, plan: InputPlan): Promise<boolean> {
  const rows = [...plan.inputs].map(
    ([name, input]) => [name, { ...input, shape: [2, ...input.shape.slice(1)] }] as const,
  );
  try {
    await runsFinite(session, { ...plan, inputs: new Map(rows) });
    return true;
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause;
    return false;
  }
}

function firstPlan(plans: Iterable<InputPlan>): FoundInputs {
  for (const plan of plans) return { plan, finite: true };
  return { reason: 'no sizes could be proposed' };
}

/** Plans in the order in which they are tried; inputs of unknown rank are tried as one number to four axes. */
function* plansOf(ports: readonly Port[], wishes: InputWishes, graph: Graph | undefined): Generator<InputPlan> {
  const ranked = ports.some(({ shape }) => !shape) ? [2, 4, 3, 1, 0] : [0];
  for (const rank of ranked) {
    const known = ports.map((port) =>
      port.shape
        ? port
        : { ...port, shape: Array.from({ length: rank }, (_, axis) => (axis === 1 && rank === 4 ? 3 : '')) },
    );
    const open = openSizes(known).filter(({ name }) => !wishes.dims.has(name));
    for (const sizes of proposeSizes(open, graph)) yield planOf(known, { sizes, wishes, graph });
  }
}

function planOf(
  ports: readonly Port[],
  { sizes, wishes, graph }: { readonly sizes: Sizes; readonly wishes: InputWishes; readonly graph: Graph | undefined },
): InputPlan {
  const all = new Map([...sizes, ...wishes.dims]);
  const inputs = ports.map((port): readonly [string, PlannedInput] => {
    const shape = port.shape!.map((dim, axis) => (isOpen(dim) ? (all.get(sizeName(port, axis)) ?? 1) : dim)); // ranks are known here
    const fill = settledFill(port.name, wishes) ?? fillOf(graph, port, wishes);
    return [port.name, { dtype: port.dtype, shape, fill }];
  });
  return { inputs: new Map(inputs), stacked: isStacked(ports), sizes: all };
}

/** The content that the user settled for an input, if any. */
function settledFill(name: string, { values, tensors }: InputWishes): Fill | undefined {
  const [value, tensor] = [values.get(name), tensors?.get(name)];
  if (tensor) return { kind: 'given', tensor };
  return value === undefined ? undefined : { kind: 'constant', value };
}

/** Whether the first axis of every input is one batch of any size. */
function isStacked(ports: readonly Port[]): boolean {
  const leads = new Set(ports.map(({ shape }) => shape?.[0]));
  const [lead] = leads;
  return leads.size === 1 && typeof lead === 'string' && lead !== '' && openSizes(ports)[0]?.kind === 'batch';
}

interface Trial {
  readonly proposals: Iterable<InputPlan>;
  readonly session: Session;
  readonly wishes: InputWishes;
}

async function tried(ports: readonly Port[], { proposals, session, wishes }: Trial): Promise<FoundInputs> {
  const start = performance.now();
  let runs = 0;
  let running: InputPlan | undefined;
  let first: { readonly plan: InputPlan; readonly reason: string } | undefined;
  const late = () => runs >= mostRuns || (runs > 4 && performance.now() - start > mostSeconds * 1000);
  const attempt = async (plan: InputPlan): Promise<'finite' | 'broken' | string> => {
    runs++;
    try {
      return (await runsFinite(session, plan)) ? 'finite' : 'broken';
    } catch (cause) {
      if (!(cause instanceof EspalierError)) throw cause;
      return cause.message;
    }
  };
  for (const plan of proposals) {
    if (late()) break;
    const outcome = await attempt(plan);
    if (outcome === 'finite') return { plan, finite: true };
    if (outcome !== 'broken') {
      first ??= { plan, reason: outcome };
      continue;
    }
    running ??= plan;
    for (const other of otherPlans(ports, plan, wishes)) {
      if (late()) break;
      if ((await attempt(other)) === 'finite') return { plan: other, finite: true };
    }
    break; // it runs, and no values make it finite
  }
  if (running) return { plan: running, finite: false };
  for (const other of first ? otherPlans(ports, first.plan, wishes) : []) {
    if (runs >= 2 * mostRuns) break;
    const outcome = await attempt(other);
    if (outcome === 'finite') return { plan: other, finite: true };
    if (outcome === 'broken') running ??= other;
  }
  if (running) return { plan: running, finite: false };
  return { reason: first?.reason ?? 'no sizes could be proposed' };
}

/** The same sizes with other values; what the user said stays. */
function* otherPlans(ports: readonly Port[], plan: InputPlan, wishes: InputWishes): Generator<InputPlan> {
  for (const change of otherFills) {
    const inputs = ports.map((port): readonly [string, PlannedInput] => {
      const input = plan.inputs.get(port.name)!; // plans have every port
      return [port.name, settledFill(port.name, wishes) ? input : { ...input, fill: change(input.fill, port) }];
    });
    if (inputs.every(([name, { fill }]) => fill === plan.inputs.get(name)!.fill)) continue;
    yield { ...plan, inputs: new Map(inputs) };
  }
}

async function runsFinite(session: Session, plan: InputPlan): Promise<boolean> {
  const tensors = session.outputs.filter(({ container }) => !container).map(({ name }) => name);
  const outputs = await session.run(feedOf(plan, { seed: 0, index: 0 }), tensors);
  return [...outputs.values()].every(hasFiniteOnly);
}

const hasFiniteOnly = (output: Tensor): boolean =>
  !isFloat(output.dtype) || toNumbers(output).every((value) => Number.isFinite(value));

/** One whole feed of a plan. Equal seeds and indices give equal feeds. */
export function feedOf(
  plan: InputPlan,
  { seed, index }: { readonly seed: number; readonly index: number },
): ReadonlyMap<string, Tensor> {
  const root = createRandom(seed).fork('random inputs');
  return new Map([...plan.inputs].map(([name, input]) => [name, fillTensor(input, root.fork(`${name}\0${index}`))]));
}
