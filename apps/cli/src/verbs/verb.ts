import type { Command } from 'commander';
import type { Surroundings } from '../surroundings.js';

/** Adds flags and an action to the command of a verb, which has its name, arguments and help already. */
export type Verb = (command: Command, surroundings: Surroundings) => void;
