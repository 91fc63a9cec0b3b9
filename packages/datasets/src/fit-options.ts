import type { PreprocessOptions } from './preprocess-options.js';

/** The user's choices; everything else follows from the model's input. */
export interface FitOptions extends Omit<PreprocessOptions, 'as' | 'dtype' | 'shape'> {
  /**
   * The treatment of images of another size than the input: `stretch` both sides to it (the default), `crop` (the
   * shorter side is resized to the longer side of the input, then the middle is cut out), or `refuse`.
   */
  readonly fit?: 'stretch' | 'crop' | 'refuse';
}
