import { type Option, problem, type Span } from '@espalier/core';

/** The unit of positions in a training. */
export type Unit = 'steps' | 'epochs' | 'share';

/** The option that says what the places of a schedule are written in. */
export const unitOption = {
  type: 'choice',
  of: ['steps', 'epochs', 'share'],
  default: 'steps',
  about: 'what places are written in: steps, epochs, or shares of the whole from 0 to 1',
} as const satisfies Option;

/**
 * A place in steps: itself, times the steps of an epoch, or times all steps. `inSteps(0.5, { unit: 'share', span:
 * { steps: 80 }, id })` is 40. @throws OPTION_INVALID where the driver does not say how long that is.
 */
export function inSteps(
  place: number,
  { unit, span, id }: { readonly unit: Unit; readonly span: Span | undefined; readonly id: string },
): number {
  if (unit === 'steps') return place;
  const one = unit === 'epochs' ? span?.epoch : span?.steps;
  if (one !== undefined) return place * one;
  throw problem('OPTION_INVALID', {
    where: `schedule ${id}.unit`,
    expected: 'steps, for how long the training is was not told',
    found: unit,
    fix: 'Write places in steps, or pass the span: schedule(step, { steps, epoch }).',
  });
}
