import type { Evidence, Need, StatisticName, Statistics } from '@espalier/core';
import { missingEvidence } from '../errors.js';

/** The answer to a need that the pruner has asked for. @throws PRUNE_EVIDENCE when it is not there. */
export function foundEvidence<S extends StatisticName>(
  evidence: Evidence,
  need: { readonly statistic: S } & Readonly<Statistics[S]['ask']>,
): Statistics[S]['answer'] {
  const answer = evidence.find(need);
  if (answer === undefined) throw missingEvidence(need as unknown as Need); // a need by its own parts
  return answer;
}
