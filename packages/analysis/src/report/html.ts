import { safeText } from './safe-text.js';

/** Markup that was made by `html`, so that it needs no escaping. */
export interface Html {
  readonly markup: string;
}

/** A value in a template: text is escaped, markup is not, nothing is nothing. */
export type HtmlValue = string | number | Html | readonly Html[] | null | undefined | false;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for use in elements and quoted attributes. `escapeHtml('<b>')` is `&lt;b&gt;`. */
export const escapeHtml = (text: string): string => safeText(text).replace(/[&<>"']/g, (mark) => entities[mark]!); // every mark has an entity

/**
 * Markup from a template: every value is escaped unless it is markup itself, so that no name out of a model can
 * become an element. Attributes must be quoted.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = parts[0]!;
  values.forEach((value, i) => {
    markup += render(value) + parts[i + 1]!;
  });
  return { markup };
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return 'markup' in value ? value.markup : value.map((each) => each.markup).join('');
}
