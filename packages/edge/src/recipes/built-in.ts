/** A recipe that ships, as a configuration would write it. None of them was ever checked live: docs/recipes.md says what is known. */
export interface BuiltInRecipe {
  readonly title: string;
  readonly recipe: Readonly<Record<string, object>>;
}

const openAi = { baseUrl: 'https://api.openai.com/v1', apiKeyEnv: 'OPENAI_API_KEY' };
const groq = { baseUrl: 'https://api.groq.com/openai/v1', apiKeyEnv: 'GROQ_API_KEY' };
const vllm = { baseUrl: 'http://127.0.0.1:8000/v1' };
const liteLlm = { baseUrl: 'http://127.0.0.1:4000/v1', apiKeyEnv: 'LITELLM_API_KEY' };

/** By the name that `--recipe` takes. */
export const builtInRecipes: Readonly<Record<string, BuiltInRecipe>> = {
  openai: {
    title: 'OpenAI: chat completions, Realtime transcription, streamed speech',
    recipe: {
      llm: { ...openAi, model: 'gpt-4.1-mini', takes: ['image'] },
      transcriber: { provider: 'realtime', dialect: 'openai', ...openAi, model: 'gpt-4o-mini-transcribe' },
      voice: { provider: 'openai-compatible', ...openAi, model: 'gpt-4o-mini-tts', voice: 'alloy' },
    },
  },
  azure: {
    title: 'Azure OpenAI: put your resource into `baseUrl`, your deployment into `model`',
    recipe: {
      llm: {
        baseUrl: 'https://YOUR-RESOURCE.openai.azure.com/openai/v1',
        apiKeyEnv: 'AZURE_OPENAI_API_KEY',
        model: 'YOUR-DEPLOYMENT',
      },
    },
  },
  groq: {
    title: 'Groq: chat completions and Whisper',
    recipe: {
      llm: { ...groq, model: 'llama-3.3-70b-versatile' },
      transcriber: { provider: 'openai-compatible', ...groq, model: 'whisper-large-v3-turbo' },
    },
  },
  anthropic: {
    title: 'Anthropic; the words come from the bundle until a transcriber is added',
    recipe: {
      llm: { provider: 'anthropic', apiKeyEnv: 'ANTHROPIC_API_KEY', model: 'claude-haiku-4-5', takes: ['image'] },
    },
  },
  ollama: {
    title: 'Ollama on this machine',
    recipe: { llm: { baseUrl: 'http://127.0.0.1:11434/v1', model: 'llama3.2' } },
  },
  'llama.cpp': {
    title: 'llama-server of llama.cpp on this machine',
    recipe: { llm: { baseUrl: 'http://127.0.0.1:8080/v1', model: 'default' } },
  },
  vllm: {
    title: 'vLLM on a box with a GPU: put its address into `baseUrl`',
    recipe: { llm: { ...vllm, model: 'meta-llama/Llama-3.1-8B-Instruct' } },
  },
  litellm: {
    title: 'LiteLLM’s proxy, with the models it routes to',
    recipe: {
      llm: { ...liteLlm, model: 'gpt-4.1-mini' },
      transcriber: { provider: 'openai-compatible', ...liteLlm, model: 'whisper' },
      voice: { provider: 'openai-compatible', ...liteLlm, model: 'tts', voice: 'alloy' },
    },
  },
  tinker: {
    title: 'Tinker’s OpenAI-compatible endpoint: put the path of your sampler weights into `model`',
    recipe: {
      llm: {
        baseUrl: 'https://tinker.thinkingmachines.dev/services/tinker-prod/oai/api/v1',
        apiKeyEnv: 'TINKER_API_KEY',
        model: 'tinker://YOUR-RUN/sampler_weights/YOUR-CHECKPOINT',
      },
    },
  },
};
