import type { Port, Session } from './executor.js';
import type { Files } from './files.js';
import type { Graph, ValueInfo } from './graph.js';
import type { Tensor } from './tensor.js';

/** Samples by index. `fields` gives the type of one sample of each field, without the batch dimension. */
export interface Dataset {
  readonly name: string;
  readonly size: number;
  readonly fields: ReadonlyMap<string, ValueInfo>;
  /** A description of the generated samples, for sets that are not read from files. */
  readonly about?: readonly string[];
  /** Names of the classes that `label` numbers, where known. */
  readonly classes?: readonly string[];
  /** The samples at these indices, stacked along a new first axis, per field. @throws DATA_INDEX beyond the end. */
  read(indices: readonly number[]): Promise<ReadonlyMap<string, Tensor>>;
}

/** The content of inputs that the user settled. It is never replaced by what a data set makes. */
export interface SettledInputs {
  /** Inputs that are one number everywhere, by name. */
  readonly values: ReadonlyMap<string, number>;
  /** Inputs as whole arrays, the batch axis included, by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Resources and facts that a loader may use. */
export interface DatasetContext {
  readonly files: Files;
  /** The inputs of the model the data is for, where there is one. */
  readonly inputs?: readonly Port[];
  /** The model itself, for sets that are made to fit it: its graph, and a session to try them on. */
  readonly model?: { readonly graph?: Graph; open?(): Promise<Session> };
  /** Inputs whose content the user settled; sets that make samples use it. */
  readonly settled?: SettledInputs;
  readonly seed: number;
  /** Told about long work, such as downloads: a sentence and the share done (0 to 1) where known. */
  readonly progress?: (message: string, done?: number) => void;
}

/** Opens a data set. */
export type DatasetLoader = (context: DatasetContext) => Promise<Dataset>;
