/**
 * The recipes of an edge, the one first that a call gets where it asks for none.
 * @throws {Error} where the edge does not say
 */
export async function readRecipes(url: URL, signal: AbortSignal): Promise<readonly string[]> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}`);
  const { recipes } = (await response.json()) as { recipes?: unknown };
  if (!Array.isArray(recipes) || !recipes.every((name) => typeof name === 'string')) {
    throw new Error(`${url.pathname} did not answer with recipes`);
  }
  return recipes;
}
