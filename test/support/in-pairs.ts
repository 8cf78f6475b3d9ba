/** `work` on all of `items`, two at a time: a call mostly waits, and two cores carry two. Results in their order. */
export async function inPairs<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let first = 0; first < items.length; first += 2) {
    results.push(...(await Promise.all(items.slice(first, first + 2).map(work))));
  }
  return results;
}
