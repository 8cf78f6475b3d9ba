/** `work` on each of `items`, one after the other: two tests run at once, and two cores carry two calls. Results in their order. */
export async function oneByOne<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
