import {
  type Dataset,
  type DatasetContext,
  EspalierError,
  type Files,
  instantiate,
  type Port,
  type Registry,
  type SettledInputs,
} from '@espalier/core';
import { isRefusal } from './open-original.js';

/** Made samples, or why none could be made that the model accepts. */
export type MadeData =
  | { readonly dataset: Dataset; readonly reason?: undefined }
  | { readonly dataset?: undefined; readonly reason: string };

/** The requirements on generated samples. */
export interface MadeRequest {
  readonly registry: Registry;
  readonly files: Files;
  readonly inputs: readonly Port[];
  readonly model: NonNullable<DatasetContext['model']>;
  readonly settled?: SettledInputs;
  readonly seed: number;
  /** Number of samples. */
  readonly take: number;
}

/** Samples that a model accepts, made from its inputs alone, for runs where the user gives no data. */
export async function madeData({ registry, take, ...context }: MadeRequest): Promise<MadeData> {
  const random = instantiate(registry.find('dataset', 'random'), { take });
  try {
    return { dataset: await random(context) };
  } catch (cause) {
    if (isRefusal(cause) || (cause instanceof EspalierError && cause.code === 'DATA_INPUTS')) {
      return { reason: cause.message };
    }
    throw cause;
  }
}
