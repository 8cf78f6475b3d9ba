// The load: callers in a process of their own, so that neither their CPU time nor their native library is the benchmark's.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../../test/support/run-typescript.mjs';

const { serve } = await importTypeScript(fileURLToPath(new URL('load-server.ts', import.meta.url)));
serve();
