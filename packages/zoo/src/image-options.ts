import type { Options } from '@espalier/core';

/** The differences between the vision models. */
export interface ImageDefaults {
  readonly classes: number;
  readonly size: number;
  /** The smallest image that the architecture takes. */
  readonly least: number;
  readonly channels?: number;
}

/** Options of every vision model. */
export const imageOptions = ({ classes, size, least, channels = 3 }: ImageDefaults) =>
  ({
    classes: { type: 'integer', default: classes, min: 1, max: 1_000_000, about: 'how many classes it tells apart' },
    size: { type: 'integer', default: size, min: least, max: 4096, about: 'height and width of the image' },
    channels: { type: 'integer', default: channels, min: 1, max: 4096, about: 'channels of the image' },
    width: { type: 'number', default: 1, min: 0.01, max: 64, about: 'factor on the number of channels of each layer' },
    seed: { type: 'integer', default: 0, about: 'seed of the first weights' },
  }) as const satisfies Options;
