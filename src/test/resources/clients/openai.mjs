import OpenAI from 'openai';
import { run } from './scenarios.mjs';

const model = 'llama3.2';
const messages = [{ role: 'user', content: 'Tell me about herding.' }];
const at = (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: process.env.OPENAI_API_KEY ?? 'sk-secret' });

await run(
  {
    async models(url) {
      const ids = [];
      for await (const m of at(url).models.list()) {
        ids.push(m.id);
      }
      return { ids };
    },
    async chat(url) {
      const answer = await at(url).chat.completions.create({ model, messages });
      const [choice] = answer.choices;
      return { text: choice.message.content, finish: choice.finish_reason, tokens: answer.usage.completion_tokens };
    },
    async chatStream(url) {
      const stream = await at(url).chat.completions.create({
        model,
        messages,
        stream: true,
        stream_options: { include_usage: true },
      });
      const parts = [];
      let finish;
      let usage;
      for await (const chunk of stream) {
        const [choice] = chunk.choices;
        parts.push(choice?.delta.content ?? '');
        finish = choice?.finish_reason ?? finish;
        usage = chunk.usage ?? usage;
      }
      return { text: parts.join(''), parts: parts.length, finish, tokens: usage.completion_tokens };
    },
    async responsesStream(url) {
      const parts = [];
      let end;
      for await (const event of await at(url).responses.create({ model, input: 'hello', stream: true })) {
        if (event.type === 'response.output_text.delta') {
          parts.push(event.delta);
        }
        end = event.type;
      }
      return { text: parts.join(''), end };
    },
    async embeddings(url) {
      const { data } = await at(url).embeddings.create({ model: 'nomic-embed-text', input: ['one', 'two'] });
      return { vectors: data.length, floats: data[0].embedding.length, first: data[0].embedding[0] };
    },
    async missing(url) {
      return at(url).chat.completions.create({ model: 'no-such-model', messages });
    },
  },
  async (url) => {
    const stream = await at(url).chat.completions.create({ model, messages, stream: true });
    let parts = 0;
    for await (const chunk of stream) {
      if (++parts === 3) {
        stream.controller.abort();
      }
    }
    return { parts, error: null };
  },
);
