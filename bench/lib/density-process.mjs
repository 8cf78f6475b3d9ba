// Sessions in a process of their own: one each, or all in one.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../../test/support/run-typescript.mjs';

const { serve } = await importTypeScript(fileURLToPath(new URL('density-server.ts', import.meta.url)));
await serve({ rows: Number(process.argv[2]), laneSize: Number(process.argv[3]), phaseMs: Number(process.argv[4]) });
