/** The look of a report: two palettes that follow the reader's system, one column on a phone. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #16202c; --soft: #5b6878; --line: #dde2e8;
  --before: #a9b4c0; --after: #1f6feb; --good: #1a7f4b; --fair: #b7791f; --bad: #c4312f;
  --other: #cfd6de; --mark: #fff6e0; --mark-line: #e3b341;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f141a; --card: #171e27; --ink: #e4e9ef; --soft: #97a4b3; --line: #2a3440;
    --before: #5a6776; --after: #58a6ff; --good: #4cc38a; --fair: #e0a94a; --bad: #f2726f;
    --other: #3a4653; --mark: #2b2413; --mark-line: #9a7420;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 24px 16px 64px; }
header h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin-top: 18px; }
h2 { font-size: 17px; margin: 0 0 4px; }
h2 + p, .hint { color: var(--soft); font-size: 13.5px; margin: 0 0 12px; max-width: 76ch; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 18px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
th:last-child, td:last-child { padding-right: 0; }
.card b { display: block; font-size: 22px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--soft); font-weight: 550; font-size: 13px; white-space: nowrap; }
tbody th { font-weight: 450; overflow-wrap: anywhere; min-width: 12ch; }
tbody tr:last-child > * { border-bottom: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
.op { color: var(--soft); font-size: 12.5px; white-space: nowrap; }
.wide { width: 42%; min-width: 150px; }
.mid { width: 18%; min-width: 90px; }
.compact th, .compact td { padding-top: 3px; padding-bottom: 3px; }
.track { display: block; height: 9px; border-radius: 3px; background: color-mix(in srgb, var(--line) 55%, transparent); margin: 6px 0 2px; }
.track + .track { margin-top: 3px; }
.track.full { background: var(--before); }
.fill { display: block; height: 100%; border-radius: 3px; min-width: 2px; background: var(--after); }
.fill.before { background: var(--before); } .fill.good { background: var(--good); }
.fill.fair { background: var(--fair); } .fill.bad { background: var(--bad); }
.key { display: inline-flex; gap: 6px; align-items: center; margin-right: 16px; font-size: 13px; color: var(--soft); }
.key i { width: 11px; height: 11px; border-radius: 3px; display: inline-block; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 14px 18px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 14px 18px; margin-bottom: 12px; }
.plot { max-width: 520px; }
.profile { margin: 4px 0 18px; }
.profile figcaption { margin-top: 6px; color: var(--soft); }
figure { margin: 0; } figcaption { font-size: 12.5px; overflow-wrap: anywhere; line-height: 1.35; }
figcaption span { color: var(--soft); display: block; }
.scroll + .hint { margin: 14px 0 4px; }
svg { display: block; width: 100%; height: auto; }
.stack { display: flex; height: 18px; border-radius: 5px; overflow: hidden; margin: 8px 0; background: var(--other); }
.stack i { display: block; height: 100%; }
.warnings { background: var(--mark); border-color: var(--mark-line); }
ul { margin: 6px 0 0; padding-left: 20px; } li { overflow-wrap: anywhere; margin: 3px 0; }
details { margin-top: 8px; } summary { cursor: pointer; }
pre { overflow-x: auto; background: var(--page); border: 1px solid var(--line); border-radius: 8px; padding: 12px; font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, monospace; margin: 8px 0 0; }
footer { color: var(--soft); font-size: 13px; margin-top: 18px; }
@media (max-width: 560px) {
  main { padding: 16px 10px 40px; } section { padding: 14px 12px; }
  th, td { padding-right: 8px; font-size: 13.5px; } .hide { display: none; }
  .wide { width: 26%; min-width: 64px; } .mid { min-width: 56px; } tbody th { min-width: 9ch; line-height: 1.3; }
  .grid { grid-template-columns: repeat(2, 1fr); gap: 12px; }
}
@media print { body { background: none; } section, .card { break-inside: avoid; } }
`;
