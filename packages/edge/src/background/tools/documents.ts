import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import MiniSearch from 'minisearch';
import { MicroturnError } from '@microturn/protocol';
import type { Log } from '../../telemetry/log.js';
import type { Tool } from '../toolbox.js';
import { Quotes, type Quote } from './quotes.js';

/** A stretch of a file under one heading. */
export interface Passage {
  readonly id: number;
  readonly file: string;
  readonly heading: string;
  readonly text: string;
}
export type FoundPassage = Passage & { readonly score: number };

const FILES = 2000;
const FILE_BYTES = 1024 * 1024;
/** Long sections are cut into passages of about this length, at a paragraph. */
const PASSAGE_CHARS = 1200;
const RESULTS = 5;
/** Those that are looked through for a sentence to quote. */
const QUOTED = 30;
const EXTENSIONS = /\.(?:md|markdown|txt)$/i;
/** Passages that are indexed before others get their turn on this thread. */
const CHUNK = 50;
const STOP_WORDS = new Set(
  'a an and are as at be by can do does for from how i in is it its me my of on or our should tell that the their this to was what when where which who why will with you your about please'.split(
    ' ',
  ),
);

/** Full-text search over a folder of Markdown and text files, read once. */
export class DocumentSearch {
  readonly #index: MiniSearch<Passage>;
  readonly #quotes: Quotes;

  private constructor(index: MiniSearch<Passage>, quotes: Quotes) {
    this.#index = index;
    this.#quotes = quotes;
  }

  /** @throws {MicroturnError} `edge/config` where the folder cannot be read */
  static async open(folder: string, log: Log): Promise<DocumentSearch> {
    const index = new MiniSearch<Passage>({
      fields: ['heading', 'text'],
      storeFields: ['file', 'heading', 'text'],
      processTerm: (term) => {
        const lower = term.toLowerCase();
        return STOP_WORDS.has(lower) ? null : lower;
      },
      searchOptions: {
        boost: { heading: 3 },
        prefix: (term) => term.length > 3,
        fuzzy: (term) => (term.length > 5 ? 0.2 : false),
      },
    });
    const files = await listFiles(folder);
    const passages: Passage[] = [];
    for (const file of files) {
      const path = join(folder, file);
      if ((await stat(path)).size > FILE_BYTES) {
        log.warn({ file }, 'a document is too large to be searched');
        continue;
      }
      for (const part of toPassages(file, await readFile(path, 'utf8')))
        passages.push({ id: passages.length, ...part });
    }
    await index.addAllAsync(passages, { chunkSize: CHUNK });
    log.info({ files: files.length, passages: passages.length }, 'documents can be searched');
    return new DocumentSearch(index, new Quotes(passages));
  }

  /** The best passages, best first. */
  search(query: string): readonly FoundPassage[] {
    return this.#find(query, RESULTS);
  }

  /** What can be said in answer to a question, where a sentence is about it. */
  quote(question: string): Quote | undefined {
    return this.#quotes.find(question, this.#find(question, QUOTED));
  }

  #find(query: string, most: number): readonly FoundPassage[] {
    const results = this.#index.search(query.slice(0, 500));
    return results.slice(0, most).map(({ id, file, heading, text, score }) => ({
      id: id as number,
      file: file as string,
      heading: heading as string,
      text: text as string,
      score,
    }));
  }

  get tool(): Tool {
    return {
      name: 'search_documents',
      description:
        'Searches the documents of this application, and gives the best passages with their file and heading.',
      parameters: {
        type: 'object',
        properties: { query: { type: 'string', minLength: 1, maxLength: 500 } },
        required: ['query'],
        additionalProperties: false,
      },
      run: ({ query }: { query: string }) => {
        const found = this.search(query).map(({ file, heading, text }) => ({ file, heading, text }));
        return found.length === 0 ? 'nothing was found' : found;
      },
    };
  }
}

async function listFiles(folder: string): Promise<readonly string[]> {
  let entries;
  try {
    entries = await readdir(folder, { recursive: true, withFileTypes: true });
  } catch (cause) {
    throw new MicroturnError('edge/config', `background.documents: ${folder} cannot be read`, { cause });
  }
  // Links are left out: they may lead out of the folder.
  const files = entries.filter((entry) => entry.isFile() && EXTENSIONS.test(entry.name));
  return files
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
    .slice(0, FILES);
}

/** Cuts a file at its headings, and long sections at their paragraphs. */
export function toPassages(file: string, content: string): readonly Omit<Passage, 'id'>[] {
  const passages: Omit<Passage, 'id'>[] = [];
  let heading = file;
  let text = '';
  const flush = () => {
    if (text.trim() !== '') passages.push({ file, heading, text: text.trim() });
    text = '';
  };
  for (const paragraph of content.split(/\n(?=#{1,6} )|\n\s*\n/)) {
    const title = /^#{1,6}\s+(.+)$/m.exec(paragraph.trimStart().split('\n', 1)[0] ?? '')?.[1];
    if (title !== undefined) {
      flush();
      heading = title.trim();
      text = paragraph.trimStart().split('\n').slice(1).join('\n');
    } else {
      if (text.length + paragraph.length > PASSAGE_CHARS) flush();
      text += `\n\n${paragraph}`;
    }
  }
  flush();
  return passages;
}
