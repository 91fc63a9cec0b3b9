/** Exit codes of the command line; 130 is the usual one for a run that its user ended. */
export const exitCodes = { done: 0, badInput: 1, usage: 2, bug: 3, interrupted: 130 } as const;

/** Code of the error that ends a run whose user asked to stop. */
export const interruptedCode = 'INTERRUPTED';
