/** Whether a node id matches one of the patterns: `*` stands for any run of characters, `?` for one. */
export function matchesAny(patterns: readonly string[]): (id: string) => boolean {
  const tests = patterns.map(toTest);
  return (id) => tests.some((test) => test(id));
}

// Greedy two-pointer matching: linear for each star, where a regular expression could backtrack without end.
function toTest(pattern: string): (id: string) => boolean {
  return (id) => {
    let p = 0;
    let star = -1;
    let mark = 0;
    let i = 0;
    while (i < id.length) {
      const symbol = pattern[p];
      if (symbol === '*') {
        star = p++;
        mark = i;
      } else if (symbol === '?' || symbol === id[i]) {
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
  };
}
