"""CQL2 JSON, written briefly."""


def prop(name):
    return {"property": name}


def op(name, *args):
    return {"op": name, "args": list(args)}


def point(*coordinates):
    return {"type": "Point", "coordinates": list(coordinates)}


YES = True
RING = [[0, 0], [4, 0], [4, 4], [0, 0]]
