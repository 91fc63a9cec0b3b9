/** The differences between Node and browsers; each has a file of its own, chosen by the `browser` condition. */
export interface Host {
  /** Folder of TensorFlow.js's .wasm files, with a slash at its end; undefined where only the page knows. */
  wasmFolder(): string | undefined;
  /** Runs `start` and takes back what it hung into the process. */
  guarded<T>(start: () => Promise<T>): Promise<T>;
}
