import { type Dataset, readReference } from '@espalier/core';
import { splitInTwo, subset } from '@espalier/datasets';
import { sourceParts } from './open-data.js';
import type { DataSource } from './recipe.js';

/** Calibration samples, and others of the same source on which errors are measured. */
export interface HeldOut {
  readonly calibration: Dataset;
  /** Absent where the source has too few samples to spare any. */
  readonly heldOut?: Dataset;
}

/** Samples that are measured on beyond those that were drawn for calibration. */
const beyond = 64;
/** The share that calibration keeps where it was given all samples there are. */
const share = 0.8;

/**
 * Samples that are not calibrated on: those that follow the drawn ones, in the order of the draw, where the source has
 * more; a fifth of all where calibration takes the whole source. `least` is the number that one run of the model needs.
 */
export async function heldOut(
  source: string | DataSource,
  calibration: Dataset,
  {
    open,
    least,
    seed,
  }: { readonly open: (source: DataSource) => Promise<Dataset>; readonly least: number; readonly seed: number },
): Promise<HeldOut> {
  const { reference, preprocess } = sourceParts(source);
  const { use, given } = readReference(reference, 'data.calibration');
  const taken = calibration.size;
  const draw = (take: number) => open({ use, with: { ...given, take }, ...(preprocess ? { preprocess } : {}) });
  if (given['take'] === taken) {
    const more = await draw(taken + beyond + 1);
    // A draw of everything comes in the order of the source; one sample less comes in the order of the draw.
    const ordered =
      more.size === taken + beyond + 1 ? more : more.size > taken + 1 ? await draw(more.size - 1) : undefined;
    const spare = ordered ? Math.min(beyond, ordered.size - taken) : 0;
    if (ordered && spare >= least) {
      return {
        calibration,
        heldOut: subset(
          ordered,
          Array.from({ length: spare }, (_, i) => taken + i),
        ),
      };
    }
  }
  const kept = Math.round(share * taken);
  if (kept < least || taken - kept < least || taken < 10) return { calibration };
  const [first, rest] = splitInTwo(calibration, { share, seed });
  return { calibration: first, heldOut: rest };
}
