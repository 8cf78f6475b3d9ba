import { TokenSource } from '@microturn/sdk';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App, type AppProps } from './app.js';
import { invitationIn } from './shell/invitation.js';
import { modeOf } from './shell/mode.js';
import './styles/base.css';
import './styles/stage.css';
import './styles/grid.css';
import './styles/transcript.css';
import './styles/suggestions.css';
import './styles/asking.css';
import './styles/reading.css';
import './styles/timing.css';
import './styles/surfaces.css';

async function sourceOf(search: string): Promise<AppProps> {
  const mode = modeOf(search);
  if (mode === 'example') {
    const { createExample, ExampleBanner } = await import('./replay/index.js');
    return { mode, ...createExample(), banner: <ExampleBanner /> };
  }
  // The edge that serves this page gives the tokens too, where it runs for development.
  const tokenSource = TokenSource.endpoint(new URL('dev/token', document.baseURI));
  return { mode, options: { tokenSource, microphone: mode === 'live', ...invitationIn(search) } };
}

const root = createRoot(document.querySelector('#root') as HTMLElement);
const props = await sourceOf(location.search);
root.render(
  <StrictMode>
    <App {...props} />
  </StrictMode>,
);
