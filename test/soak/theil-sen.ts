/** A point of a series: time in minutes, and a value. */
export type Point = readonly [minutes: number, value: number];

/** The median of the slopes of all pairs: what a few odd points, such as a garbage collection, do not move. */
export function theilSen(points: readonly Point[]): number {
  const slopes = points.flatMap(([x, y], i) =>
    points.slice(i + 1).flatMap(([x2, y2]) => (x2 > x ? [(y2 - y) / (x2 - x)] : [])),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The least value of each `minutes`: a heap between its collections. */
export function leastOfEach(points: readonly Point[], minutes: number): Point[] {
  const windows = new Map<number, Point>();
  for (const point of points) {
    const window = Math.floor(point[0] / minutes);
    const least = windows.get(window);
    if (!least || point[1] < least[1]) windows.set(window, point);
  }
  return [...windows.values()];
}
