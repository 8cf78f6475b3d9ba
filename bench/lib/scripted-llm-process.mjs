// The scripted language model, in a process of its own: a real one is on another machine.
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../../test/support/run-typescript.mjs';

const { serve } = await importTypeScript(fileURLToPath(new URL('scripted-llm-server.ts', import.meta.url)));
await serve();
