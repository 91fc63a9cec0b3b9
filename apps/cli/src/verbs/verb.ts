import type { Command } from 'commander';
import type { Surroundings } from '../surroundings.js';

/** Adds a verb to the program. */
export type Verb = (program: Command, surroundings: Surroundings) => void;
