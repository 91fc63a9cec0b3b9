/** Keeps the time of a run: training steps apart from evaluations. */
export interface Pace {
  /** Notes a training step that took `ms`. */
  step(ms: number): void;
  readonly steps: number;
  /** Seconds since the beginning, everything included. */
  seconds(): number;
  /** Samples per second of training steps. */
  imagesPerSecond(batch: number): number;
  /** By the mean pace so far, evaluations included. */
  secondsLeft(steps: number): number;
}

/** Starts the clock. */
export function startPace(): Pace {
  const start = performance.now();
  let [steps, training] = [0, 0];
  const seconds = () => (performance.now() - start) / 1000;
  return {
    step(ms) {
      steps++;
      training += ms;
    },
    get steps() {
      return steps;
    },
    seconds,
    imagesPerSecond: (batch) => (training > 0 ? (steps * batch * 1000) / training : 0),
    secondsLeft: (left) => (steps > 0 ? (left * seconds()) / steps : 0),
  };
}
