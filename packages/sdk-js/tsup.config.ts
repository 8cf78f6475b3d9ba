import { defineConfig, type Options } from 'tsup';

/**
 * mediasoup-client is CommonJS, so no bundler drops the parts of it that no page runs: what its tests use, its handlers for
 * React Native and for a Chrome that is too old for the rest of the SDK, and data channels, since messages go over the
 * socket. So it is bundled here without them.
 */
const browserDevice: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'mediasoup-client for browsers',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^mediasoup-client$/ }, async ({ path, resolveDir, pluginData }) => {
      if (pluginData === 'entry') return undefined;
      const entry = await resolve(path, { kind: 'require-call', resolveDir, pluginData: 'entry' });
      return { path: entry.path.replace(/index\.js$/, 'Device.js') };
    });
    onResolve(
      { filter: /\/(FakeHandler|fakeParameters|ReactNative106|Chrome74|Data(Producer|Consumer))$/ },
      ({ path }) => ({
        path,
        namespace: 'absent',
      }),
    );
    onLoad({ filter: /./, namespace: 'absent' }, () => ({ contents: 'module.exports = {};' }));
  },
};

export default defineConfig([
  {
    entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' },
    format: ['esm', 'cjs'],
    // Loaded with the first call.
    external: ['./device.js'],
    // `AsyncDisposable` is in no `lib` of a fresh app.
    dts: { banner: '/// <reference lib="esnext.disposable" />' },
    sourcemap: true,
    clean: true,
  },
  {
    entry: { device: 'src/connection/device.ts' },
    format: ['esm'],
    platform: 'browser',
    noExternal: [/.*/],
    esbuildPlugins: [browserDevice],
    sourcemap: true,
  },
  {
    // One file for a script tag: window.Microturn
    entry: { microturn: 'src/index.ts' },
    format: ['iife'],
    globalName: 'Microturn',
    noExternal: [/.*/],
    platform: 'browser',
    minify: true,
    esbuildPlugins: [browserDevice],
    esbuildOptions(options) {
      options.conditions = ['es2015'];
    },
    sourcemap: true,
  },
]);
