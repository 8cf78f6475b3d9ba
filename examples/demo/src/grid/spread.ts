/**
 * Moves places that are too close to their neighbour on the left to the right, no further than needed.
 * @param places in ascending order
 */
export function spread(places: readonly number[], gap: number): number[] {
  let free = -Infinity;
  return places.map((place) => {
    const at = Math.max(place, free);
    free = at + gap;
    return at;
  });
}
