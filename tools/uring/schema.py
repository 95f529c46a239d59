#!/usr/bin/env python3
"""Holds a JSON object from the standard input against a schema: schema.py SCHEMA"""

import json
import sys

try:
    import jsonschema
except ImportError:
    print("SKIP: the JSON form: Python's jsonschema is not here")
    sys.exit(0)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
answer = json.load(sys.stdin)
matching = [s for s in schema["oneOf"] if s["properties"]["command"]["const"] == answer.get("command")]
errors = [list(jsonschema.Draft202012Validator(s).iter_errors(answer)) for s in matching]
if not any(not e for e in errors):
    for found in errors:
        for error in found[:3]:
            print(f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}", file=sys.stderr)
    sys.exit(1)
