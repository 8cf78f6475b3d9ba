import { defineConfig } from 'tsup';

export default defineConfig([
  {
    entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' },
    format: ['esm', 'cjs'],
    dts: true,
    sourcemap: true,
    clean: true,
  },
  {
    // One file for a script tag: window.Microturn
    entry: { microturn: 'src/index.ts' },
    format: ['iife'],
    globalName: 'Microturn',
    noExternal: [/.*/],
    platform: 'browser',
    minify: true,
    esbuildOptions(options) {
      options.conditions = ['es2015'];
    },
    sourcemap: true,
  },
]);
