import { type LossSite, problem, type ValueInfo } from '@espalier/core';

/** The type of class numbers for an output of logits [N, C]. @throws AUTODIFF_LOSS on an output of another rank. */
export function classTarget({ output }: LossSite, where: string): ValueInfo {
  if (output.shape && output.shape.length !== 2) {
    throw problem('AUTODIFF_LOSS', {
      where,
      expected: 'logits of shape [batch, classes]',
      found: `an output of shape [${output.shape.join(', ')}]`,
      fix: 'Flatten the output, or choose another output or loss.',
    });
  }
  return { dtype: 'int64', shape: output.shape ? [output.shape[0]!] : ['batch'] };
}
