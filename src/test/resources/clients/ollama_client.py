import asyncio
import os
import tempfile

import ollama

from scenarios import run

MODEL = "llama3.2"
MESSAGES = [{"role": "user", "content": "Tell me about herding."}]


def at(url):
    return ollama.Client(host=url)


def collect(stream, text):
    parts = list(stream)
    return {
        "text": "".join(text(p) for p in parts),
        "parts": len(parts),
        "done": parts[-1].done_reason,
        "tokens": parts[-1].eval_count,
    }


def list_models(url):
    models = at(url).list().models
    return {"models": [m.model for m in models], "digest": models[0].digest}


def show(url):
    shown = at(url).show(MODEL)
    return {"family": shown.details.family, "capabilities": shown.capabilities}


def generate(url):
    answer = at(url).generate(MODEL, "hello")
    return {"text": answer.response, "tokens": answer.eval_count}


def generate_stream(url):
    return collect(at(url).generate(MODEL, "hello", stream=True), lambda p: p.response)


def chat(url):
    answer = at(url).chat(MODEL, MESSAGES)
    return {"text": answer.message.content, "tokens": answer.eval_count}


def chat_stream(url):
    return collect(at(url).chat(MODEL, MESSAGES, stream=True), lambda p: p.message.content)


def chat_stream_async(url):
    async def read():
        return [p async for p in await ollama.AsyncClient(host=url).chat(MODEL, MESSAGES, stream=True)]

    return collect(asyncio.run(read()), lambda p: p.message.content)


def embed(url):
    vectors = at(url).embed("nomic-embed-text", ["one", "two"]).embeddings
    return {"vectors": len(vectors), "floats": len(vectors[0]), "first": vectors[0][0]}


def create_blob(url):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"0123456789abcdef" * 65536)
    try:
        return {"digest": at(url).create_blob(file.name)}
    finally:
        os.unlink(file.name)


def missing(url):
    return at(url).chat("no-such-model", MESSAGES)


def abort(url):
    stream = at(url).chat(MODEL, MESSAGES, stream=True)
    for _ in range(3):
        next(stream)
    stream.close()
    return {"parts": 3}


run(
    [
        list_models,
        show,
        generate,
        generate_stream,
        chat,
        chat_stream,
        chat_stream_async,
        embed,
        create_blob,
        missing,
    ],
    abort,
)
