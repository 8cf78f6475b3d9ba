import { useSurfaces } from '@microturn/react';
import { memo, useId } from 'react';
import { headed, labelOf, runningWords, textOf, viewOf, type RunningWord } from './view.js';

/** What a background model, or the app’s server, draws while the talk goes on. Nothing while there is none. */
export function SurfacesPanel() {
  const surfaces = useSurfaces();
  if (surfaces.size === 0) return null;
  return (
    <section className="surfaces" aria-label="On your screen">
      {[...surfaces].map(([id, document]) => (
        <Surface key={id} id={id} document={document} />
      ))}
    </section>
  );
}

const Surface = memo(function Surface({ id, document }: { readonly id: string; readonly document: unknown }) {
  const titleId = useId();
  const { title, body } = headed(id, document);
  const words = id === 'translation' ? runningWords(document) : undefined;
  return (
    <article className="surface" aria-labelledby={titleId}>
      <h2 id={titleId}>{title}</h2>
      {words ? <RunningText words={words} /> : <Value value={body} titleId={titleId} />}
    </article>
  );
});

function RunningText({ words }: { readonly words: readonly RunningWord[] }) {
  return (
    <p className="running-text">
      {words.map(({ text, of }, index) => (
        // Words only come at the end, and go at the beginning.
        <span key={index} title={of}>
          {/^[.,;:!?…]/.test(text) || index === 0 ? text : ` ${text}`}
        </span>
      ))}
    </p>
  );
}

function Value({ value, titleId }: { readonly value: unknown; readonly titleId?: string }) {
  const view = viewOf(value);
  switch (view.kind) {
    case 'table':
      return (
        <div className="surface-table">
          <table aria-labelledby={titleId}>
            <thead>
              <tr>
                {view.columns.map(({ key, isNumeric }) => (
                  <th key={key} scope="col" data-numeric={isNumeric || undefined}>
                    {labelOf(key)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {view.rows.map((row, index) => (
                <tr key={index}>
                  {view.columns.map(({ key, isNumeric }) => (
                    <td key={key} data-numeric={isNumeric || undefined}>
                      {textOf(row[key])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'list':
      return (
        <ul aria-labelledby={titleId}>
          {view.items.map((item, index) => (
            <li key={index}>
              <Value value={item} />
            </li>
          ))}
        </ul>
      );
    case 'fields':
      return (
        <dl>
          {view.fields.map(([key, field]) => (
            <div key={key}>
              <dt>{labelOf(key)}</dt>
              <dd>
                <Value value={field} />
              </dd>
            </div>
          ))}
        </dl>
      );
    case 'text':
      return <span>{view.text}</span>;
    default:
      return view satisfies never;
  }
}
