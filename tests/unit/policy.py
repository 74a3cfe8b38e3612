#!/usr/bin/env python3
# budget: 30
"""Policies: the documents say what the code's tables say, the schema takes what the code takes, and
`pavise policy` shows it. Prints TAP; with --write, makes the documents anew instead.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
SCHEMA = os.path.join(ROOT, "docs", "policy.schema.json")
KEYS = os.path.join(ROOT, "docs", "PROTOCOL.policy-keys")
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=20)


def made(what):
    r = run(os.path.join(BUILD, "tests", "policy_docs"), what)
    if r.returncode != 0:
        raise RuntimeError(r.stderr)
    return r.stdout


def write_all():
    for path, text in ((SCHEMA, made("schema")), (KEYS, made("keys"))):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def fits(schema, value):
    """The part of JSON Schema that policy.schema.json uses."""
    if "anyOf" in schema and not any(fits(s, value) for s in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
             "null": type(None)}
    if "type" in schema and (not isinstance(value, kinds[schema["type"]]) or
                             (schema["type"] == "integer" and isinstance(value, bool))):
        return False
    if isinstance(value, dict):
        known = schema.get("properties", {})
        more = schema.get("patternProperties", {})
        for key, v in value.items():
            part = known.get(key) or next((s for p, s in more.items() if re.search(p, key)), None)
            if part is None and schema.get("additionalProperties") is False:
                return False
            if part is not None and not fits(part, v):
                return False
        return all(k in value for k in schema.get("required", []))
    if isinstance(value, list):
        return schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1 << 30) and \
            all(fits(schema.get("items", {}), v) for v in value)
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and \
            re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, int):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return True


def examples(schema):
    """(policy, is it good) by key: for each key a value that fits, and some that do not."""
    head = {"format": "pavise-policy", "version": 0, "base": "recommended"}
    yield head, True
    yield {**head, "base": "none"}, False
    yield {**head, "bsae": 1}, False
    yield {"format": "pavise-policy", "version": 0}, False
    for section in ("snp", "tdx", "tpm", "event_log"):
        for key, part in schema["properties"][section]["properties"].items():
            for value in values(part):
                yield {**head, section: {key: value}}, True
            for value in ([{}], {"no": 1}, -1, "?"):
                yield {**head, section: {key: value}}, False
        yield {**head, section: {"no_such_key": 1}}, False
        yield {**head, section: []}, False


def values(part):
    for one in part.get("anyOf", [part]):
        kind = one.get("type")
        if kind == "boolean":
            yield from (True, False)
        elif kind == "integer":
            yield from (one["minimum"], min(one.get("maximum", 1 << 62), 1 << 62))
        elif kind == "null":
            yield None
        elif kind == "object" and all("maximum" in v for v in one["properties"].values()):
            yield {k: v["maximum"] for k, v in one["properties"].items()}
        elif kind == "object":
            yield {bank: {"0": next(values(*v["patternProperties"].values()))}
                   for bank, v in one["properties"].items()}
        elif kind == "string" and "format" in one:
            yield "2026-01-31T00:00:00Z"
        elif kind == "string":
            yield text_for(one["pattern"])
        elif kind == "array" and "enum" in one["items"]:
            yield one["items"]["enum"]
        elif kind == "array" and "maxLength" in one["items"]:
            yield ["x" * one["items"]["maxLength"]] * one["maxItems"]
        elif kind == "array":
            yield [text_for(one["items"]["pattern"])] * one["maxItems"]


def text_for(pattern):
    digits = re.search(r"\{(?:1,)?([0-9]+)\}", pattern).group(1)
    return ("0x" if pattern.startswith("^0x") else "") + "a5" * (int(digits) // 2)


def check_examples(folder, schema):
    bad, n = [], 0
    for policy, good in examples(schema):
        path = os.path.join(folder, "p.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(policy, f)
        r = run(os.path.join(BUILD, "bin", "pavise-policy"), "check", path)
        n += 1
        if r.returncode != (0 if good else 3) or fits(schema, policy) != good:
            bad.append("%s: status %d, schema %s: %s" % (policy, r.returncode,
                                                         fits(schema, policy), r.stderr))
    ok(not bad and n > 50, "%d policies: code and schema take and refuse the same" % n,
       "\n".join(bad[:5]))


def command(folder):
    def pavise(*args):
        return run(os.path.join(BUILD, "bin", "pavise"), "policy", *args)

    path = os.path.join(folder, "web.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write('{"format": "pavise-policy", "version": 0, "tee": "sev-snp", "plan": "web.plan",'
                ' "snp": {"min_tcb": {"snp": 23}, "allow_smt": false}}')
    r = pavise("check", path)
    ok(r.returncode == 0 and "keeps its form" in r.stdout, "policy check", r.stdout + r.stderr)
    r = pavise("explain", path)
    ok(r.returncode == 0 and 'snp.min_tcb = {"snp": 23}\n' in r.stdout and
       "snp.allow_smt = false\n" in r.stdout and 'plan = "web.plan"\n' in r.stdout and
       "require_nonce = true\n" in r.stdout, "policy explain FILE", r.stdout + r.stderr)
    for name in ("strict", "recommended", "permissive", "none"):
        r = pavise("explain", name)
        ok(r.returncode == 0 and r.stdout.startswith('base = "%s"\n' % name),
           "policy explain " + name, r.stdout + r.stderr)
    r = pavise("explain", os.path.join(folder, "absent"))
    ok(r.returncode == 5 and len(r.stderr.splitlines()) == 1, "a missing file", r.stderr)
    for args in ((), ("check",), ("check", path, path), ("chekc", path), ("explain", "--all")):
        r = pavise(*args)
        ok(r.returncode == 64 and len(r.stderr.splitlines()) == 1,
           "refuses: policy " + " ".join(os.path.basename(a) for a in args), r.stderr)
    ok(pavise("--help").returncode == 0, "has --help")


def main():
    if sys.argv[1:] == ["--write"]:
        write_all()
        return 0
    ok(read(SCHEMA) == made("schema"), "docs/policy.schema.json is what the tables say",
       "make policy-docs makes it anew")
    ok(read(KEYS) == made("keys"), "docs/PROTOCOL.policy-keys lists what the tables say",
       "make policy-docs makes it anew")
    source = read(os.path.join(ROOT, "attest", "appraise", "policy.c"))
    lists = re.findall(r"#define [A-Z]+_KEYS (.*)", source) + \
        re.findall(r"\b(?:plain|snp|tdx|any)_keys\[\] = \{(.*?)\}", source, re.S)
    keys = set(re.findall(r'"([a-z_0-9]+)"', " ".join(lists)))
    ok(keys == set(json.loads(read(SCHEMA))["properties"]), "the schema has every key of a policy",
       keys ^ set(json.loads(read(SCHEMA))["properties"]))
    with tempfile.TemporaryDirectory() as folder:
        check_examples(folder, json.loads(read(SCHEMA)))
        command(folder)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
