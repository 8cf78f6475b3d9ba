import { memo } from 'react';

/** What an ordinary LLM adds, and how. */
export const RealModel = memo(function RealModel() {
  return (
    <section className="real-model" aria-labelledby="real-model-title">
      <h2 id="real-model-title">Add a real LLM</h2>
      <div>
        <p>
          Nano’s lasting job is the floor: when to listen, speak, wait and stop. What is said then may come from any
          language model that you choose: start the edge with <code>--recipe ollama</code>, or with the{' '}
          <code>--llm-url</code> and <code>--llm-model</code> of an OpenAI-compatible server. A key stays on the edge.
        </p>
        <p>
          The recipes that an edge has are then under “Talk with”. None was ever checked against its provider;{' '}
          <code>microturn doctor --recipe NAME</code> checks yours. All about them is in <code>docs/recipes.md</code>.
        </p>
      </div>
    </section>
  );
});
