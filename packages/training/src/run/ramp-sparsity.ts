import type { Phase } from '@espalier/schedules';

/** A phase in which the sparsity follows a schedule. */
export type Ramp = Extract<Phase, { readonly do: 'ramp' }>;

/** The sparsity that a ramp asks for so many steps after it began. */
export const rampSparsity = (
  { sparsity, steps }: Ramp,
  step: number,
  { order }: { readonly order: { readonly stepsPerEpoch: number } },
): number => sparsity(step, { steps, epoch: order.stepsPerEpoch });
