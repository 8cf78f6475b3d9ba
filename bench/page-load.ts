import { build } from 'esbuild';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { launchChromium } from '../test/call/chromium.js';
import { root } from '../test/support/root.js';
import type { Benchmark, Figure } from './lib/benchmark.js';
import { MeasuredEdge } from './lib/measured-edge.js';
import { quantile, round, spread } from './lib/stats.js';
import type { LoadMarks } from './page/load-page.js';

const BUDGET_MS = 1_000;
const WAIT_MS = 20_000;

const kinds = ['load-page', 'bare-page'] as const;
type Kind = (typeof kinds)[number];

/**
 * What: from a navigation to `session.started` of a page that joins at once, on an edge that is up.
 * How: a running Chromium, a new browser context (so an empty cache) for every load, a fake microphone that is allowed; the
 * page's own clock, which begins with the navigation. The token comes with the page.
 * Against: a page that only opens a WebSocket to the same edge, loads taken in turns.
 */
export const pageLoad: Benchmark = {
  name: 'page-load',
  about: 'from a navigation to session.started on a warm edge, p50 and p95',
  async run({ quick, note }) {
    const pairs = quick ? 3 : 20;
    const marks: Record<Kind, LoadMarks[]> = { 'load-page': [], 'bare-page': [] };
    await using edge = await MeasuredEdge.start();
    const server = await servePages(edge);
    const browser = await launchChromium();
    try {
      // Warm: the browser's processes, the edge's code.
      for (const kind of kinds) await load(browser, server.url, kind);
      note(`${pairs} loads`);
      for (let i = 0; i < pairs; i++) {
        for (const kind of i % 2 === 0 ? kinds : [...kinds].reverse())
          marks[kind].push(await load(browser, server.url, kind));
      }
    } finally {
      await browser.close();
      await server.close();
    }
    const started = marks['load-page'].map(({ startedMs }) => startedMs!);
    const bare = marks['bare-page'].map(({ startedMs }) => startedMs!);
    const conditions = {
      n: pairs,
      startedMs: spread(started),
      scriptMs: spread(marks['load-page'].map(({ scriptMs }) => scriptMs)),
      connectedMs: spread(marks['load-page'].map(({ connectedMs }) => connectedMs!)),
    };
    return [0.5, 0.95].map((share): Figure => ({
      name: `page-load to session.started p${share * 100}`,
      value: round(quantile(started, share), 0),
      unit: 'ms',
      baseline: { name: `a page that only opens a WebSocket, p${share * 100}`, value: round(quantile(bare, share), 0) },
      budget: BUDGET_MS,
      conditions,
    }));
  },
};

async function load(browser: Browser, url: string, kind: Kind): Promise<LoadMarks> {
  const context = await browser.newContext({ permissions: ['microphone'] });
  try {
    const page = await context.newPage();
    await page.goto(`${url}/${kind}`);
    await page.waitForFunction(
      () => window.marks?.connectedMs !== undefined || window.marks?.failure !== undefined,
      undefined,
      { timeout: WAIT_MS },
    );
    const marks = await page.evaluate(() => window.marks);
    if (marks.failure !== undefined || marks.startedMs === undefined)
      throw new Error(`${kind}: ${marks.failure ?? 'it did not start'}`);
    return marks;
  } finally {
    await context.close();
  }
}

async function servePages(edge: MeasuredEdge): Promise<{ url: string; close(): Promise<void> }> {
  const { outputFiles } = await build({
    entryPoints: kinds.map((kind) => join(root, 'bench/page', `${kind}.ts`)),
    outdir: '/',
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  });
  const scripts = new Map(outputFiles.map(({ path, text }) => [`/${path.split(/[\\/]/).at(-1)}`, text]));
  const server = createServer(async ({ url = '' }, response) => {
    const script = scripts.get(url);
    if (script !== undefined) return void response.setHeader('content-type', 'text/javascript').end(script);
    const kind = kinds.find((each) => url === `/${each}`);
    if (!kind) return void response.writeHead(404).end();
    const call = JSON.stringify({
      url: edge.url,
      token: await edge.process.token({ room: `page-${performance.now()}` }),
    });
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Load</title><script>window.call = ${call}</script><script src="/${kind}.js"></script></html>`;
    response.setHeader('content-type', 'text/html').end(html);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
