import { defineConfig } from 'tsup';

export default defineConfig({
  // Each thread is an entry of its own: a Worker is started from a file.
  entry: {
    index: 'src/index.ts',
    main: 'src/main.ts',
    'testing/index': 'src/testing/index.ts',
    'media-thread': 'src/media/media-thread.ts',
    'engine-thread': 'src/engine/engine-thread.ts',
    'voice-thread': 'src/voice/voice-thread.ts',
    'sherpa-process': 'src/sherpa/sherpa-process.ts',
    'store-thread': 'src/store/store-thread.ts',
    'model-thread': 'src/llm/model-thread.ts',
  },
  // A thousand small files otherwise, which take seconds to load on a busy machine; of RxJS, two hundred in every thread that has it.
  noExternal: ['mathjs', 'rxjs'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  dts: { entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' } },
  sourcemap: true,
  clean: true,
});
