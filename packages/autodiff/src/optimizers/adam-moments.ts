import { type GraphBuilder, type OptimizerInput, scalar, type Tensor, type ValueId } from '@espalier/core';

/** The options of both forms of Adam. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The direction of a step, before the learning rate, and the moments to keep. */
export interface AdamStep {
  readonly direction: ValueId;
  readonly state: ReadonlyMap<string, ValueId>;
}

/**
 * Moments of the gradient with bias correction (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1):
 *
 *     m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  direction = m/(1 - β₁ᵗ) / (√(v/(1 - β₂ᵗ)) + ε)
 *
 * The corrections are the same for every parameter, so each graph computes them once.
 */
export function createAdam({ beta1, beta2, epsilon }: AdamOptions) {
  const numbers = { beta1: scalar(beta1), rest1: scalar(1 - beta1), beta2: scalar(beta2), rest2: scalar(1 - beta2) };
  const [one, tiny] = [scalar(1), scalar(epsilon)];
  const corrections = new WeakMap<GraphBuilder, readonly [ValueId, ValueId]>();
  const correct = (b: GraphBuilder, step: ValueId) => {
    const known = corrections.get(b);
    if (known) return known;
    const correction = (beta: Tensor, name: string) =>
      b.add('Sub', [b.constant('one', one), b.add('Pow', [b.constant(name, beta), step])], {
        name: `${name}_correction`,
      });
    const made = [correction(numbers.beta1, 'beta1'), correction(numbers.beta2, 'beta2')] as const;
    corrections.set(b, made);
    return made;
  };
  return (
    b: GraphBuilder,
    { gradient, state, step }: Pick<OptimizerInput, 'gradient' | 'state' | 'step'>,
  ): AdamStep => {
    const mix = (old: string, value: ValueId, [keep, take]: readonly ['beta1' | 'beta2', 'rest1' | 'rest2']) =>
      b.add('Add', [
        b.add('Mul', [state.get(old), b.constant(keep, numbers[keep])]),
        b.add('Mul', [value, b.constant(take, numbers[take])]),
      ]);
    const m = mix('first', gradient, ['beta1', 'rest1']);
    const v = mix('second', b.add('Mul', [gradient, gradient]), ['beta2', 'rest2']);
    const [first, second] = correct(b, step);
    const root = b.add('Sqrt', [b.add('Div', [v, second])]);
    const direction = b.add('Div', [b.add('Div', [m, first]), b.add('Add', [root, b.constant('epsilon', tiny)])]);
    return {
      direction,
      state: new Map([
        ['first', m],
        ['second', v],
      ]),
    };
  };
}

/** Names of the kept moments. */
export const adamState = ['first', 'second'] as const;

/** The options that both forms share. */
export const adamOptions = {
  beta1: { type: 'number', default: 0.9, min: 0, max: 0.9999999, about: 'how much of the mean gradient is kept' },
  beta2: { type: 'number', default: 0.999, min: 0, max: 0.9999999, about: 'how much of the mean square is kept' },
  epsilon: { type: 'number', default: 1e-8, min: 0, about: 'added to the root, against division by zero' },
} as const;
