import type { Figure } from './heard.js';

const COLUMNS = [22, 28, 50, 60] as const;

export function head(): string {
  const names = ['listener', 'set', 'suite', 'measure'].map((name, i) => name.padEnd(COLUMNS[i]!));
  return `${names.join('')}   value  95 % interval      n`;
}

export function row(listener: string, set: string, { suite, measure, unit, value, low, high, n }: Figure): string {
  const names = [listener, set, suite, measure].map((name, i) => name.padEnd(COLUMNS[i]!)).join('');
  const number = (x: number | undefined) =>
    x === undefined || x === Infinity ? '–' : x.toFixed(unit === '/s' ? 3 : 2) + (unit === 'share' ? '' : ` ${unit}`);
  return `${names}${number(value).padStart(10)}  ${`${number(low)} – ${number(high)}`.padEnd(16)} ${String(n).padStart(5)}`;
}
