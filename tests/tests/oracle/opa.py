"""OPA's engine as a process: one JSON object a line in, one a line out.

In:  {"modules": [[file, text], …], "data": {…}, "query": "data.a.b", "inputs": [{…}, …]}
Out: {"answers": [{"value": …} | {"undefined": true} | {"error": code, "message": text}, …]}
or   {"refused": text}, where OPA does not take the policies.

The engine is the PyPI package opa-golib-python-bindings, in the folder given as the only argument
(`./just setup-oracle` puts it there). What this is not: a judge; it says what OPA says.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from opa_bindings import OpaEngine, OpaError  # noqa: E402


def answer(engine, query, document):
    """The value of `query` for one input."""
    try:
        found = engine.eval_query(f"x = {query}", document)
    except OpaError as error:
        return {"error": error.code, "message": error.message}
    return {"value": found[0]["x"]} if found else {"undefined": True}


def answers(asked):
    """Loads the policies once and asks about every input."""
    with OpaEngine() as engine:
        engine.print_handler = lambda message, place: None
        try:
            for file, text in asked["modules"]:
                engine.add_policy(file, text)
            engine.add_data(asked.get("data") or {})
            # Policies are compiled by the first question.
            engine.eval_query("true")
        except OpaError as error:
            return {"refused": f"{error.code}: {error.message}"}
        inputs = asked.get("inputs") or [None]
        return {"answers": [answer(engine, asked["query"], one) for one in inputs]}


for line in sys.stdin:
    print(json.dumps(answers(json.loads(line))), flush=True)
