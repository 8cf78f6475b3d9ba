import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const edge = 'http://localhost:7880';

export default defineConfig({
  plugins: [react()],
  // The page and the edge share an origin, as they would behind a reverse proxy.
  server: { proxy: { '/v1': { target: edge, ws: true }, '/dev': edge } },
});
