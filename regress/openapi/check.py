#!/usr/bin/env python3
"""What regress/t/openapi.t asks of docs/openapi.yaml.

paths FILE               "METHOD PATH ARGUMENT" of each call, as routes.c
codes FILE               the error codes
queries FILE             the names of all parameters of queries
answers FILE <LIST        of lines "STATUS METHOD PATH ANSWER": how each
                         answer (a file) differs from its schema, a line
"""
import json
import sys

import jsonschema
import yaml

PREFIX = "/api/cloud-backup"


def arguments(path):
    """The path without its arguments, and whether it has one."""
    plain, _, name = path.partition("/{")
    return plain[len(PREFIX):] if path.startswith(PREFIX) else plain, name


def paths(api):
    seen = {}
    for path, item in api["paths"].items():
        plain, name = arguments(path)
        for method in item:
            seen.setdefault((method.upper(), plain), set()).add(bool(name))
    for (method, plain), kinds in seen.items():
        print(method, plain, "OPTIONAL" if len(kinds) == 2 else
              "NEEDED" if True in kinds else "NONE")


def differences(api, status, method, path, file):
    responses = api["paths"][path][method.lower()]["responses"]
    response = responses.get(status) or responses.get(status[0] + "XX")
    if response is None:
        return ["status %s is not described" % status]
    if "$ref" in response:
        response = api["components"]["responses"][
            response["$ref"].rsplit("/", 1)[1]]
    schema = dict(response["content"]["application/json"]["schema"])
    schema["components"] = api["components"]
    check = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.FormatChecker())
    with open(file, encoding="utf-8") as f:
        try:
            value = json.load(f)
        except ValueError as e:
            return [str(e)]
    return ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:300])
            for e in check.iter_errors(value)]


def main():
    what, file = sys.argv[1:3]
    with open(file, encoding="utf-8") as f:
        api = yaml.safe_load(f)
    if what == "paths":
        paths(api)
    elif what == "queries":
        print("\n".join({p["name"] for item in api["paths"].values()
                         for o in item.values()
                         for p in o.get("parameters", [])
                         if p.get("in") == "query"}))
    elif what == "codes":
        print("\n".join(api["components"]["schemas"]["ErrorCode"]["enum"]))
    else:
        for line in sys.stdin:
            print("; ".join(differences(api, *line.split())))


main()
