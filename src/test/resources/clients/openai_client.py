import os

import openai

from scenarios import run

MODEL = "llama3.2"
MESSAGES = [{"role": "user", "content": "Tell me about herding."}]


def at(url):
    return openai.OpenAI(base_url=url + "/v1", api_key=os.environ.get("OPENAI_API_KEY", "sk-secret"))


def models(url):
    return {"ids": [m.id for m in at(url).models.list()]}


def chat(url):
    answer = at(url).chat.completions.create(model=MODEL, messages=MESSAGES)
    choice = answer.choices[0]
    return {
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "tokens": answer.usage.completion_tokens,
    }


def chat_stream(url):
    parts, finish, usage = [], None, None
    for chunk in at(url).chat.completions.create(
        model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            parts.append(choice.delta.content or "")
            finish = choice.finish_reason or finish
    return {"text": "".join(parts), "parts": len(parts), "finish": finish, "tokens": usage.completion_tokens}


def embeddings(url):
    data = at(url).embeddings.create(model="nomic-embed-text", input=["one", "two"]).data
    return {"vectors": len(data), "floats": len(data[0].embedding), "first": data[0].embedding[0]}


def missing(url):
    return at(url).chat.completions.create(model="no-such-model", messages=MESSAGES)


def abort(url):
    stream = at(url).chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
    chunks = iter(stream)
    for _ in range(3):
        next(chunks)
    stream.close()
    return {"parts": 3}


run([models, chat, chat_stream, embeddings, missing], abort)
