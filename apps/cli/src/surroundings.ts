/** The parts of the process that the command line uses; tests pass their own. */
export interface Surroundings {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The answer goes here (stdout). */
  out(text: string): void;
  /** Progress and errors go here (stderr). */
  error(text: string): void;
  /** Whether `error` is a terminal that can redraw a line. */
  readonly terminal: boolean;
  /** Whether the user asked to stop; work ends at its next sign of progress and puts everything away. */
  interrupted?(): boolean;
  /** The same as a signal: long work that can keep its state ends in order when it is given. */
  readonly signal?: AbortSignal;
}
