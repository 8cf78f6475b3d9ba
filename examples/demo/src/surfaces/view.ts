/** One word of a text that runs along with what is said, such as a translation. */
export interface RunningWord {
  readonly text: string;
  /** What it stands for. */
  readonly of?: string;
}

/** How a JSON value is best seen. */
export type View =
  | { readonly kind: 'table'; readonly columns: readonly Column[]; readonly rows: readonly Fields[] }
  | { readonly kind: 'list'; readonly items: readonly unknown[] }
  | { readonly kind: 'fields'; readonly fields: readonly (readonly [key: string, value: unknown])[] }
  | { readonly kind: 'text'; readonly text: string };

export interface Column {
  readonly key: string;
  readonly isNumeric: boolean;
}
type Fields = Readonly<Record<string, unknown>>;

/** A table wider than this is read as a list of its rows. */
const MAX_COLUMNS = 8;

export function viewOf(value: unknown): View {
  if (Array.isArray(value)) return tableOf(value) ?? { kind: 'list', items: value };
  if (isFields(value)) return { kind: 'fields', fields: Object.entries(value) };
  return { kind: 'text', text: textOf(value) };
}

/** The heading that a surface gives itself, else its id, and what is to be seen below it. */
export function headed(id: string, document: unknown): { readonly title: string; readonly body: unknown } {
  if (!isFields(document) || typeof document['title'] !== 'string') return { title: labelOf(id), body: document };
  const { title, ...rest } = document as { readonly title: string };
  const values = Object.values(rest);
  // What is all that there is needs no name.
  return { title, body: values.length === 1 && typeof values[0] === 'object' ? values[0] : rest };
}

/** The words of a surface that is a running text: `{words: [{text, of?}]}`. */
export function runningWords(document: unknown): readonly RunningWord[] | undefined {
  const words = isFields(document) ? document['words'] : undefined;
  const isWord = (word: unknown) => isFields(word) && typeof word['text'] === 'string';
  return Array.isArray(words) && words.every(isWord) ? (words as RunningWord[]) : undefined;
}

/** `departs_at` and `departsAt` -> `departs at`. */
export function labelOf(key: string): string {
  return key
    .replaceAll(/[_-]+/g, ' ')
    .replaceAll(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number);
}

function tableOf(values: readonly unknown[]): View | undefined {
  if (values.length === 0 || !values.every(isFields)) return undefined;
  const keys = [...new Set(values.flatMap((row) => Object.keys(row)))];
  if (keys.length === 0 || keys.length > MAX_COLUMNS) return undefined;
  const columns = keys.map((key) => ({
    key,
    isNumeric: values.every((row) => row[key] === undefined || typeof row[key] === 'number'),
  }));
  return { kind: 'table', columns, rows: values };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
