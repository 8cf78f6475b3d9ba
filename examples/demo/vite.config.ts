import react from '@vitejs/plugin-react';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Everything comes from the edge that serves the page; calls may go to another edge. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob: mediastream:",
  "connect-src 'self' http: https: ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The built page carries its policy with it. Not while developing: the development server injects scripts. */
function strictPolicy(): Plugin {
  return {
    name: 'strict-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
    ],
  };
}

/** Puts what the other example needs next to the page, where it has been built. */
function besides(files: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'besides',
    apply: 'build',
    async closeBundle() {
      for (const [from, to] of Object.entries(files)) {
        const target = resolve(here, 'dist', to);
        await mkdir(dirname(target), { recursive: true });
        await copyFile(resolve(here, from), target).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
          this.warn(`left out, since it is not there: ${from}`);
        });
      }
    },
  };
}

export default defineConfig({
  root: here,
  // Relative, so that the page works below any path.
  base: './',
  plugins: [
    react(),
    strictPolicy(),
    besides({
      '../../packages/sdk-js/dist/microturn.global.js': 'sdk/microturn.global.js',
      '../vanilla/index.html': 'vanilla/index.html',
    }),
  ],
  build: { target: 'es2022', chunkSizeWarningLimit: 700 },
  server: {
    // `microturn start --dev` beside it.
    proxy: { '/dev': 'http://127.0.0.1:7880', '/v1': { target: 'http://127.0.0.1:7880', ws: true } },
  },
});
