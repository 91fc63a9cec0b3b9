/**
 * Whether a name matches one of the patterns: `*` stands for any run of characters, `?` for one.
 * `matchNames(['conv*'])('conv1/weight')` is true.
 */
export function matchNames(patterns: readonly string[]): (name: string) => boolean {
  return (name) => patterns.some((pattern) => matches(pattern, name));
}

// Greedy two-pointer matching: at worst the product of the lengths, where a regular expression could backtrack without end.
function matches(pattern: string, name: string): boolean {
  let p = 0;
  let i = 0;
  let star = -1;
  let mark = 0;
  while (i < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = i;
    } else if (pattern[p] === '?' || pattern[p] === name[i]) {
      p++;
      i++;
    } else if (star >= 0) {
      p = star + 1;
      i = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
