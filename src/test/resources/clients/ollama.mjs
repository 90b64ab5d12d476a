import { Ollama } from 'ollama';
import { run } from './scenarios.mjs';

const model = 'llama3.2';
const messages = [{ role: 'user', content: 'Tell me about herding.' }];
const key = process.env.OLLAMA_API_KEY;
const at = (host) => new Ollama({ host, headers: key ? { Authorization: `Bearer ${key}` } : {} });

async function collect(stream, text) {
  const parts = [];
  let last;
  for await (const part of stream) {
    parts.push(text(part));
    last = part;
  }
  return { text: parts.join(''), parts: parts.length, done: last.done_reason, tokens: last.eval_count };
}

await run(
  {
    async list(url) {
      const { models } = await at(url).list();
      return { models: models.map((m) => m.name), digest: models[0].digest };
    },
    async show(url) {
      const shown = await at(url).show({ model });
      return { family: shown.details.family, capabilities: shown.capabilities };
    },
    async generate(url) {
      const answer = await at(url).generate({ model, prompt: 'hello' });
      return { text: answer.response, tokens: answer.eval_count };
    },
    async generateStream(url) {
      return collect(await at(url).generate({ model, prompt: 'hello', stream: true }), (p) => p.response);
    },
    async chat(url) {
      const answer = await at(url).chat({ model, messages });
      return { text: answer.message.content, tokens: answer.eval_count };
    },
    async chatStream(url) {
      return collect(await at(url).chat({ model, messages, stream: true }), (p) => p.message.content);
    },
    async embed(url) {
      const { embeddings } = await at(url).embed({ model: 'nomic-embed-text', input: ['one', 'two'] });
      return { vectors: embeddings.length, floats: embeddings[0].length, first: embeddings[0][0] };
    },
    async pull(url) {
      const states = [];
      for await (const part of await at(url).pull({ model, stream: true })) {
        states.push(part.status);
      }
      return { last: states.at(-1) };
    },
    async missing(url) {
      return at(url).chat({ model: 'no-such-model', messages });
    },
    async missingStream(url) {
      return collect(await at(url).chat({ model: 'no-such-model', messages, stream: true }), () => '');
    },
  },
  async (url) => {
    const stream = await at(url).chat({ model, messages, stream: true });
    let parts = 0;
    try {
      for await (const part of stream) {
        if (++parts === 3) {
          stream.abort();
        }
      }
    } catch (e) {
      return { parts, error: e.name };
    }
    return { parts, error: null };
  },
);
