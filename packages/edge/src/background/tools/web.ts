import { publicFetch } from './public-fetch.js';
import type { Tool, ToolContext } from '../toolbox.js';

const PAGE_CHARS = 12_000;
const SEARCH_RESULTS = 6;
const SEARCH_TIMEOUT_MS = 10_000;

/** Reads pages of the allowed hosts. */
export function fetchTool(allow: readonly string[]): Tool {
  return {
    name: 'read_page',
    description: `Reads a web page as plain text. Allowed hosts: ${allow.join(', ')}.`,
    parameters: {
      type: 'object',
      properties: { url: { type: 'string', minLength: 8, maxLength: 2048 } },
      required: ['url'],
      additionalProperties: false,
    },
    timeoutMs: 15_000,
    run: async ({ url }: { url: string }, { signal }: ToolContext) => {
      const page = await publicFetch(url, { allow, signal });
      const text = page.type.includes('html') ? htmlToText(page.text) : page.text;
      return { url: page.url, text: text.slice(0, PAGE_CHARS) };
    },
  };
}

/** Searches the web through a SearXNG instance (its JSON format must be enabled). */
export function searchTool(baseUrl: string): Tool {
  return {
    name: 'search_web',
    description: 'Searches the web, and gives titles, addresses and summaries of the best results.',
    parameters: {
      type: 'object',
      properties: { query: { type: 'string', minLength: 1, maxLength: 400 } },
      required: ['query'],
      additionalProperties: false,
    },
    timeoutMs: SEARCH_TIMEOUT_MS,
    run: async ({ query }: { query: string }, { signal }: ToolContext) => {
      const url = new URL(`${baseUrl.replace(/\/$/, '')}/search`);
      url.search = new URLSearchParams({ q: query, format: 'json' }).toString();
      const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
      if (!response.ok) throw new Error(`SearXNG answered ${response.status}`);
      const { results } = (await response.json()) as { results?: unknown };
      if (!Array.isArray(results)) throw new Error('SearXNG gave no results: is its JSON format enabled?');
      return (results as Record<string, unknown>[]).slice(0, SEARCH_RESULTS).map(({ title, url: link, content }) => ({
        title: String(title).slice(0, 200),
        url: String(link).slice(0, 500),
        summary: String(content ?? '').slice(0, 600),
      }));
    },
  };
}

/** What is between these is not read. */
const UNREAD = /<(script|style|svg|head|nav|footer|noscript)\b/gi;

/**
 * The readable text of a page: enough for a model, not for a browser. It takes time in proportion to the page, whatever is in
 * it: this thread has calls to serve, and the page may be anybody's.
 */
export function htmlToText(html: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
  return withoutUnread(html)
    .replaceAll(/<(?:br|\/p|\/h[1-6]|\/li|\/tr|\/div)\b[^<>]*>/gi, '\n')
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/&(#\d+|\w+);/g, (whole, name: string) =>
      name.startsWith('#')
        ? String.fromCodePoint(Math.min(Number(name.slice(1)), 0x10_ffff))
        : (entities[name] ?? whole),
    )
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n[ \n]*/g, '\n')
    .trim();
}

function withoutUnread(html: string): string {
  const unclosed = new Set<string>();
  let text = '';
  let from = 0;
  for (const { 0: opening, 1: name, index } of html.matchAll(UNREAD)) {
    const element = name!.toLowerCase();
    if (index < from || unclosed.has(element)) continue;
    const closing = new RegExp(`</${element}>`, 'gi');
    closing.lastIndex = index + opening.length;
    if (closing.test(html)) {
      text += `${html.slice(from, index)} `;
      from = closing.lastIndex;
    } else unclosed.add(element);
  }
  return text + html.slice(from);
}
