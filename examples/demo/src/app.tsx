import { SessionProvider, useConnection, useTranscript } from '@microturn/react';
import type { InteractionSession, SessionOptions } from '@microturn/sdk';
import type { ReactNode } from 'react';
import type { Observable } from 'rxjs';
import { TimingPanel } from './answers/timing-panel.js';
import { AskPanel } from './asking/ask-panel.js';
import { GridStrip } from './grid/grid-strip.js';
import { ReadingPanel } from './reading/reading-panel.js';
import type { Mode } from './shell/mode.js';
import { PageHeader } from './shell/page-header.js';
import { RealModel } from './shell/real-model.js';
import { StatsFooter } from './shell/stats-footer.js';
import { useSetting } from './shell/setting.js';
import { AgentPicker, useAgentChoice, type AgentChoice } from './stage/agent-picker.js';
import { Controls, UnlockBar } from './stage/controls.js';
import { DevicePickers } from './stage/device-pickers.js';
import { FailurePanel, InsecurePanel } from './stage/failure-panel.js';
import { Headline } from './stage/headline.js';
import { NoticeBar, useNotice } from './stage/notice-bar.js';
import { People } from './stage/people.js';
import { SayBox } from './stage/say-box.js';
import { SurfacesPanel } from './surfaces/surfaces-panel.js';
import { Announcer } from './transcript/announcer.js';
import { Transcript } from './transcript/transcript.js';
import { SuggestionList } from './trials/suggestion-list.js';

export type AppProps = {
  readonly mode: Mode;
  /** How loud the caller is, where that is not this page's microphone. */
  readonly level$?: Observable<number>;
  /** Said above everything else. */
  readonly banner?: ReactNode;
} & (
  | { readonly options: SessionOptions; readonly session?: undefined }
  | { readonly session: InteractionSession; readonly options?: undefined }
);

export function App({ mode, level$, banner, ...source }: AppProps) {
  const agent = useAgentChoice(source.options !== undefined);
  const page = <Page mode={mode} level$={level$} banner={banner} agent={agent} />;
  if (source.session) {
    return (
      <SessionProvider session={source.session} connect={mode === 'example'}>
        {page}
      </SessionProvider>
    );
  }
  const { chosen } = agent;
  // Another agent is another session.
  return (
    <SessionProvider key={chosen} options={{ ...source.options, ...(chosen !== undefined && { recipe: chosen }) }}>
      {page}
    </SessionProvider>
  );
}

interface PageProps {
  readonly mode: Mode;
  readonly level$: Observable<number> | undefined;
  readonly banner: ReactNode;
  readonly agent: AgentChoice;
}

function Page({ mode, level$, banner, agent }: PageProps) {
  const { status, error, isConnected, isReconnecting } = useConnection();
  const spoken = useTranscript().length > 0;
  const [notice, setNotice] = useNotice();
  const [keys, setKeys] = useSetting('microturn.keys', ['on', 'off'], 'on');
  const isUp = isConnected || isReconnecting || status === 'closing';
  const withTranscript = isUp || spoken;
  const failure = status === 'failed' ? error : undefined;
  return (
    <div className="page" data-up={isUp || undefined} data-talked={withTranscript || undefined}>
      <PageHeader mode={mode} />
      <main>
        {banner}
        <section className="stage" aria-label="The call">
          <Headline mode={mode} ended={spoken} />
          <div className="stage-side">
            {failure && <FailurePanel error={failure} />}
            {mode === 'live' && !failure && !window.isSecureContext && <InsecurePanel />}
            <UnlockBar />
            <Controls mode={mode} keys={keys === 'on'} onProblem={setNotice} />
            {mode !== 'example' && (
              <DevicePickers folded={isUp}>
                <AgentPicker {...agent} />
              </DevicePickers>
            )}
          </div>
        </section>
        <People />
        <NoticeBar notice={notice} onDismiss={() => setNotice(undefined)} />
        <GridStrip live={isUp} level$={level$} />
        <div className="columns">
          {withTranscript && (
            <div className="talk">
              <Transcript />
              <SurfacesPanel />
              <TimingPanel />
              {isUp && mode !== 'example' && <SayBox onProblem={setNotice} />}
              {mode !== 'example' && <AskPanel isUp={isUp} onProblem={setNotice} />}
            </div>
          )}
          <SuggestionList />
        </div>
        {mode === 'live' && <ReadingPanel onProblem={setNotice} />}
        <RealModel />
        <Announcer />
      </main>
      <StatsFooter>
        {isUp && mode !== 'example' && (
          <label className="keys-switch">
            <input
              type="checkbox"
              checked={keys === 'on'}
              onChange={({ target }) => setKeys(target.checked ? 'on' : 'off')}
            />
            Keys: M mute, S or Esc stop it, L long text
          </label>
        )}
      </StatsFooter>
    </div>
  );
}
