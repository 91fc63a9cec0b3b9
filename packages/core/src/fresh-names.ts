/** Gives names that are not in `taken`, which grows with them: the wish itself, or `wish_1`, `wish_2`, and so on. */
export function freshNames(taken: Set<string>): (wish: string) => string {
  const counters = new Map<string, number>();
  return (wish) => {
    let name = wish;
    for (let i = counters.get(wish) ?? 1; taken.has(name); i++) {
      name = `${wish}_${i}`;
      counters.set(wish, i + 1);
    }
    taken.add(name);
    return name;
  };
}
