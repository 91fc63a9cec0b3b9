/** Metrics by name, as an evaluation finds them. */
export type Measured = Readonly<Record<string, number>>;

/** The figures of one epoch. */
export interface EpochRecord {
  /** Counts from 1. */
  readonly epoch: number;
  /** Steps done by its end. */
  readonly step: number;
  /** Mean training loss of its steps. */
  readonly loss: number;
  /** At its last step. */
  readonly learningRate: number;
  /** Share of the masked weights that is zero at its end; absent where nothing is masked. */
  readonly sparsity?: number;
  /** Where this epoch was evaluated. */
  readonly metrics?: Measured;
}

/** Why a run ended. */
export type StopReason = 'finished' | 'early-stopping' | 'cancelled';

/** An event of a run. Events are plain data: they can be printed, kept, or posted to another thread. */
export type TrainingEvent =
  | {
      readonly event: 'start';
      readonly steps: number;
      readonly stepsPerEpoch: number;
      readonly batch: number;
      /** Elements of the parameters that are trained. */
      readonly parameters: number;
      /** The step a checkpoint was resumed at; 0 for a new run. */
      readonly resumedAt: number;
    }
  | { readonly event: 'phase'; readonly phase: number; readonly do: string; readonly step: number }
  | {
      readonly event: 'step';
      /** Steps done, this one included. */
      readonly step: number;
      readonly loss: number;
      readonly learningRate: number;
      readonly imagesPerSecond: number;
      readonly secondsLeft: number;
    }
  | ({ readonly event: 'epoch' } & EpochRecord)
  | { readonly event: 'evaluated'; readonly step: number; readonly metrics: Measured; readonly best: boolean }
  | {
      readonly event: 'pruned';
      readonly step: number;
      /** The target of the plan. */
      readonly sparsity: number;
      /** Share of the masked weights that is zero now. */
      readonly reached: number;
    }
  | { readonly event: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly event: 'stopped'; readonly step: number; readonly reason: StopReason };
