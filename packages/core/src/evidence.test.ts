import { describe, expect, it } from 'vitest';
import { evidenceOf, needKey, noEvidence } from './evidence.js';

describe('evidence', () => {
  it('answers the need it was kept under, whatever the order of its fields', () => {
    const answers = new Map([
      [
        needKey({ statistic: 'histogram', value: 'x', bins: 8 } as { statistic: 'histogram' }),
        { min: 0, max: 1, counts: new Float64Array(8) },
      ],
    ]);
    const evidence = evidenceOf(answers, 3);
    expect(evidence.samples).toBe(3);
    expect(evidence.find({ bins: 8, value: 'x', statistic: 'histogram' })?.counts).toHaveLength(8);
  });

  it('knows nothing of other needs', () => {
    const evidence = evidenceOf(
      new Map([[needKey({ statistic: 'range', value: 'x' } as { statistic: 'range' }), { min: 0, max: 1 }]]),
      1,
    );
    expect(evidence.find({ statistic: 'range', value: 'y' })).toBeUndefined();
    expect(evidence.find({ statistic: 'channelRange', value: 'x', axis: 0 })).toBeUndefined();
    expect(noEvidence.find({ statistic: 'range', value: 'x' })).toBeUndefined();
  });
});
