export interface ChartPoint {
  readonly name: string;
  readonly ours: boolean;
  readonly falseStarts: number;
  readonly gapMs: number;
  readonly gapP90Ms: number;
}

const [WIDTH, HEIGHT] = [720, 420];
const PLOT = { left: 70, right: 690, top: 56, bottom: 352 };
const LABEL_WIDTH = 200;
const LINE_HEIGHT = 16;
const CHAR_WIDTH = 7;

/** Response gap against false starts, as SVG that can be read on light and on dark. */
export function gapChart(
  points: readonly ChartPoint[],
  { calls, caption }: { calls: number; caption: string },
): string {
  const most = Math.max(4, Math.ceil(Math.max(...points.map(({ falseStarts }) => falseStarts)) / 4) * 4);
  const longest = Math.ceil(Math.max(...points.map(({ gapP90Ms }) => gapP90Ms)) / 250) * 250;
  const x = (value: number) => Math.round(PLOT.left + (value / most) * (PLOT.right - PLOT.left - LABEL_WIDTH));
  const y = (value: number) => Math.round(PLOT.bottom - (value / longest) * (PLOT.bottom - PLOT.top));
  const lines: string[] = [];
  for (let ms = 0; ms <= longest; ms += 250) {
    lines.push(`<path class="grid" d="M${PLOT.left} ${y(ms)}H${PLOT.right}"/>`);
    lines.push(`<text x="${PLOT.left - 8}" y="${y(ms) + 4}" text-anchor="end">${ms}</text>`);
  }
  for (let count = 0; count <= most; count += most / 4) {
    lines.push(`<text x="${x(count)}" y="${PLOT.bottom + 20}" text-anchor="middle">${count}</text>`);
  }
  // Ours lie close together: their names are below them, in the first line that is free there.
  const below = Math.max(...points.filter(({ ours }) => ours).map(({ gapMs }) => y(gapMs))) + 22;
  const rows: { readonly from: number; readonly to: number }[][] = [];
  const placeOf = (at: number, text: string): { x: number; y: number } => {
    const half = (text.length * CHAR_WIDTH) / 2;
    const middle = Math.max(at, PLOT.left + half);
    const span = { from: middle - half, to: middle + half };
    const free = rows.findIndex((row) => row.every(({ from, to }) => span.to < from || span.from > to));
    const line = free < 0 ? rows.push([]) - 1 : free;
    rows[line]!.push(span);
    return { x: middle, y: below + line * LINE_HEIGHT };
  };
  for (const { name, ours, falseStarts, gapMs, gapP90Ms } of points.toSorted((a, b) => b.gapMs - a.gapMs)) {
    const at = { x: x(falseStarts), y: y(gapMs) };
    const kind = ours ? 'ours' : 'vad';
    const text = `${name}: ${Math.round(gapMs)} ms`;
    const place = ours ? placeOf(at.x, text) : { x: at.x + 12, y: at.y + 4 };
    const label = `x="${place.x}" y="${place.y}"${ours ? ' text-anchor="middle"' : ''}`;
    lines.push(
      `<path class="${kind}" d="M${at.x} ${at.y}V${y(gapP90Ms)}"/>`,
      `<circle class="${kind}" cx="${at.x}" cy="${at.y}" r="6"/>`,
      `<text class="name" ${label}>${text}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Response gap against false starts">
<style>
text { font: 12px system-ui, sans-serif; fill: #6e7781 }
.name { font-size: 13px; fill: #24292f }
.grid { stroke: #8c959f; stroke-opacity: 0.3 }
.ours { fill: #0969da; stroke: #0969da; stroke-width: 2 }
.vad { fill: #bc4c00; stroke: #bc4c00; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #8b949e }
  .name { fill: #e6edf3 }
  .ours { fill: #58a6ff; stroke: #58a6ff }
  .vad { fill: #f0883e; stroke: #f0883e }
}
</style>
<text class="name" x="16" y="22">The user’s last sample to the agent’s first, ms: median, and line to the 90th percentile</text>
<text x="16" y="40">${caption}</text>
${lines.join('\n')}
<text x="${PLOT.left}" y="${PLOT.bottom + 42}">false starts: answers that began to sound before the user had finished, of ${calls} questions</text>
</svg>
`;
}
