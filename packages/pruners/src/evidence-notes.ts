import type { Evidence, Note } from '@espalier/core';

/** Notes for the user about the evidence behind the scores. */
export const evidenceNotes = ({ target }: Evidence): readonly Note[] =>
  target === 'predictions'
    ? [
        {
          outcome: 'warning',
          reason:
            "The data has no labels: the scores rest on the loss against the model's own predicted classes, which a sure model hardly has.",
        },
      ]
    : [];
