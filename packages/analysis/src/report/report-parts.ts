import { type Html, type HtmlValue, html } from './html.js';

/** A titled part of the page. */
export const part = (title: string, hint: HtmlValue, body: HtmlValue): Html =>
  html`<section><h2>${title}</h2><p>${hint}</p>${body}</section>`;

const classes = { number: 'n', wide: 'wide', bar: 'mid', extra: 'hide', 'extra-number': 'n hide' } as const;

/** A column of a table; numbers stand to the right, columns that a phone can miss are hidden there. */
export interface HtmlColumn {
  readonly title: string;
  readonly kind?: keyof typeof classes;
}

/** A table whose first cell of each row is its heading. */
export function htmlTable(columns: readonly HtmlColumn[], rows: readonly (readonly HtmlValue[])[]): Html {
  const classOf = (i: number) => {
    const kind = columns[i]?.kind;
    return kind ? html` class="${classes[kind]}"` : html``;
  };
  const head = columns.map(({ title }, i) => html`<th scope="col"${classOf(i)}>${title}</th>`);
  const body = rows.map(([first, ...rest]) => {
    const cells = rest.map((cell, i) => html`<td${classOf(i + 1)}>${cell}</td>`);
    return html`<tr><th scope="row"${classOf(0)}>${first}</th>${cells}</tr>`;
  });
  return html`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** A horizontal bar; `share` is 0 to 1. What it shows stands beside it as text, so it is hidden from screen readers. */
export const bar = (share: number, kind: 'after' | 'before' | 'good' | 'fair' | 'bad' = 'after'): Html =>
  html`<span class="track" aria-hidden="true"><span class="fill ${kind}" style="width:${percent(share)}%"></span></span>`;

const percent = (share: number): number =>
  Math.round(Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share)) * 1000) / 10;

/** The meaning of the colours. */
export const legend = (entries: readonly { readonly colour: string; readonly label: string }[]): Html =>
  html`<p>${entries.map(({ colour, label }) => html`<span class="key"><i style="background:var(--${colour})"></i>${label}</span>`)}</p>`;
