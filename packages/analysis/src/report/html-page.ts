import { type Html, html } from './html.js';
import { reportStyle } from './style.js';

// Nothing is fetched and nothing runs: even a mistake in escaping could not load or execute anything.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** A whole page with the look of a report: no script, no request, light and dark, readable on a phone. */
export function htmlPage(title: string, sections: readonly (Html | null)[]): string {
  const style: Html = { markup: reportStyle }; // our own constant
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title} \u00b7 Espalier</title>
<style>${style}</style>
</head>
<body>
<main>
${sections.map((section) => html`${section}\n`)}</main>
</body>
</html>
`.markup;
}
