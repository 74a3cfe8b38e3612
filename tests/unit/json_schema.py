"""The part of JSON Schema that docs/*.schema.json of commands' output use."""
import re

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
KEYS = {"$schema", "$defs", "$ref", "title", "description", "type", "required", "additionalProperties",
        "properties", "items", "enum", "const", "pattern", "minItems", "maxItems", "minimum", "maximum",
        "anyOf", "propertyNames"}


def is_of(value, name):
    # A Python bool is an int as well.
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def fits(value, schema):
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    return (("const" not in schema or value == schema["const"])
            and ("enum" not in schema or value in schema["enum"])
            and (not names or any(is_of(value, n) for n in names))
            and ("pattern" not in schema or re.search(schema["pattern"], value) is not None)
            and ("minimum" not in schema or value >= schema["minimum"])
            and ("maximum" not in schema or value <= schema["maximum"])
            and ("minItems" not in schema or len(value) >= schema["minItems"])
            and ("maxItems" not in schema or len(value) <= schema["maxItems"]))


def conforms(value, schema, path="$", root=None):
    """The first fault, or None."""
    root = schema if root is None else root
    if set(schema) - KEYS:
        return "%s: the test does not know %s" % (path, set(schema) - KEYS)
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], path, root)
    if "anyOf" in schema:
        return None if any(conforms(value, s, path, root) is None for s in schema["anyOf"]) else path
    if not fits(value, schema):
        return path
    if isinstance(value, list):
        faults = (conforms(v, schema.get("items", {}), "%s[%d]" % (path, i), root) for i, v in enumerate(value))
        return next((f for f in faults if f), None)
    if isinstance(value, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", {})
        for key in schema.get("required", []):
            if key not in value:
                return path + " lacks " + key
        for key, item in value.items():
            if conforms(key, schema.get("propertyNames", {}), path, root):
                return path + " has " + key
            if key not in known and more is False:
                return path + " has " + key
            fault = conforms(item, known.get(key, more), path + "." + key, root)
            if fault:
                return fault
    return None
