import type { CompressReport, ReportStep } from './compress-report.js';
import { significant } from './format-number.js';
import { type Html, html } from './html.js';
import { part } from './report-parts.js';

const mostNotes = 200;

/** The warnings to read before trusting the result. */
export const warningSection = ({ warnings }: Pick<CompressReport, 'warnings'>): Html | null =>
  warnings.length === 0
    ? null
    : html`<section class="warnings" aria-label="Warnings"><h2>${warnings.length === 1 ? 'A warning' : `${warnings.length} warnings`}</h2><ul>${warnings.map((text) => html`<li>${text}</li>`)}</ul></section>`;

/** The steps with what each said, and the recipe that repeats the run. */
export function runSection({ steps, recipe, seed, versions }: CompressReport): Html {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return part('The run', html`Seed ${seed}. ${names.join(', ')}`, [
    html`<ol>${steps.map(stepItem)}</ol>`,
    html`<details><summary>Recipe, with every default filled in</summary><pre>${JSON.stringify(recipe, null, 2) ?? ''}</pre></details>`,
  ]);
}

function stepItem({ step, use, seconds, notes }: ReportStep): Html {
  const shown = notes.slice(0, mostNotes).map(({ node, op, outcome, reason }) => {
    const about = [op, node].filter(Boolean).join(' ');
    return html`<li>${outcome}${about ? html` <code>${about}</code>` : ''}: ${reason}</li>`;
  });
  const more = notes.length > mostNotes ? html`<li>and ${notes.length - mostNotes} more, in report.json</li>` : html``;
  const details =
    notes.length > 0
      ? html`<details><summary>${notes.length === 1 ? 'a note' : `${notes.length} notes`}</summary><ul>${shown}${more}</ul></details>`
      : html``;
  return html`<li>${step}: <b>${use}</b> <span class="op">${significant(seconds)} s</span>${details}</li>`;
}
