"""Runs a library's scenarios against the URL of the first argument and prints what each saw as lines
"scenario.key: value", which the Java test judges. "abort" as the second argument: that scenario alone, and the process
lives on until its standard input ends, so that only the library can have ended the stream. Any other name: the
scenario of that name alone."""

import json
import sys


def run(scenarios, abort):
    url = sys.argv[1]
    only = sys.argv[2:]
    if only == ["abort"]:
        tell("abort", lambda: abort(url))
        sys.stdin.read()
        return
    for scenario in scenarios:
        if not only or only == [scenario.__name__]:
            tell(scenario.__name__, lambda: scenario(url))


def tell(name, scenario):
    try:
        seen = scenario()
    except Exception as e:
        seen = {"error": type(e).__name__, "status": getattr(e, "status_code", None), "message": str(e)}
    for key, value in seen.items():
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        print(f"{name}.{key}: {text}", flush=True)
