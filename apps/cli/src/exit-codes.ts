/** Exit codes of the command line. */
export const exitCodes = { done: 0, badInput: 1, usage: 2, bug: 3 } as const;
