// Puts mediasoup-worker where it is wanted, for an image or a package: `node scripts/provide-worker.mjs FILE`.
import { copyFile } from 'node:fs/promises';
import { command } from './lib/command.mjs';
import { createReport } from './lib/report.mjs';
import { SetupError } from './lib/setup-error.mjs';
import { ensureWorker } from './lib/worker.mjs';

await command(async () => {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new SetupError('no file was named', 'node scripts/provide-worker.mjs FILE');
  await copyFile(await ensureWorker(createReport()), file);
  return 0;
});
