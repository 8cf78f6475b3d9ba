import { memo } from 'react';

/** How an ordinary LLM will be added: said as it is, and not as it will be. */
export const RealModel = memo(function RealModel() {
  return (
    <section className="real-model" aria-labelledby="real-model-title">
      <h2 id="real-model-title">Add a real LLM</h2>
      <div>
        <p>
          <b>Not in this build yet.</b> Nano’s lasting job is the floor: when to listen, speak, wait and stop. What is
          said then comes from any language model that you choose. That part, the composite model, has not landed, so
          there is nothing to configure today.
        </p>
        <p>
          When it lands, the edge will take the base URL and the key of an OpenAI-compatible server, a local one
          included; the key stays on the edge. What comes when is in <code>docs/roadmap.md</code>.
        </p>
      </div>
    </section>
  );
});
