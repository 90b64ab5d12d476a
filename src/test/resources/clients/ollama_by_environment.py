"""Ollama's library as those use it who write no line of code for a gateway: all that it is told is OLLAMA_HOST and
OLLAMA_API_KEY."""

import ollama

from scenarios import run

MODEL = "llama3.2"
MESSAGES = [{"role": "user", "content": "Tell me about herding."}]


def list_models(_):
    return {"models": [m.model for m in ollama.list().models]}


def show(_):
    return {"family": ollama.show(MODEL).details.family}


def chat(_):
    return {"tokens": ollama.chat(MODEL, MESSAGES).eval_count}


def chat_stream(_):
    return {"parts": len(list(ollama.chat(MODEL, MESSAGES, stream=True)))}


def generate_stream(_):
    return {"parts": len(list(ollama.generate(MODEL, "hello", stream=True)))}


def embed(_):
    return {"vectors": len(ollama.embed("nomic-embed-text", ["one", "two"]).embeddings)}


def ps(_):
    return {"models": sorted(m.model for m in ollama.ps().models)}


run([list_models, show, chat, chat_stream, generate_stream, embed, ps], None)
