/** Milliseconds of a step, on the wall and of processor time, and its loss. */
export interface StepTime {
  readonly wall: number;
  readonly used: number;
  readonly loss: number;
}

/** One way to run training steps. */
export interface Variant {
  readonly name: string;
  readonly threads: number;
  /** Whether it is another program, which ours are compared with. */
  readonly peer: boolean;
  readonly step: () => Promise<StepTime>;
}
