import Anthropic from '@anthropic-ai/sdk';
import { run } from './scenarios.mjs';

const model = 'llama3.2';
const request = { model, max_tokens: 1024, messages: [{ role: 'user', content: 'Tell me about herding.' }] };
const at = (baseURL) => new Anthropic({ baseURL, apiKey: process.env.ANTHROPIC_API_KEY ?? 'sk-secret' });

await run(
  {
    async message(url) {
      const answer = await at(url).messages.create(request);
      return { text: answer.content[0].text, stop: answer.stop_reason, tokens: answer.usage.output_tokens };
    },
    async messageStream(url) {
      let parts = 0;
      const stream = at(url).messages.stream(request).on('text', () => parts++);
      const answer = await stream.finalMessage();
      return {
        text: answer.content[0].text,
        parts,
        stop: answer.stop_reason,
        tokens: answer.usage.output_tokens,
      };
    },
    async missing(url) {
      return at(url).messages.create({ ...request, model: 'no-such-model' });
    },
  },
  async (url) => {
    const stream = await at(url).messages.create({ ...request, stream: true });
    let parts = 0;
    for await (const event of stream) {
      if (event.type === 'content_block_delta' && ++parts === 3) {
        stream.controller.abort();
      }
    }
    return { parts, error: null };
  },
);
