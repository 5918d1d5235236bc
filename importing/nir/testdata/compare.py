"""Holds two NIR files to each other, as h5py reads them: the same nodes, whatever their
names, with the same parameters, and the same edges between them.

compare.py A.nir B.nir

Graphs in graphs are flattened first. Weights and shapes are equal to the bit, other
numbers to 12 digits. The biases of one layer may be summed in the second file.
"""

import sys
from collections import Counter

import h5py
import numpy as np


def flatten(group, prefix, nodes, edges):
    names = {}
    for name, node in group["nodes"].items():
        kind = node["type"][()].decode()
        if kind == "NIRGraph":
            flatten(node, prefix + name + ".", nodes, edges)
            names[name] = (prefix + name + "." + inside(node, "Output"), prefix + name + "." + inside(node, "Input"))
        else:
            nodes[prefix + name] = (kind, {k: v[()] for k, v in node.items() if k != "type"})
            names[name] = (prefix + name, prefix + name)
    pairs = [(a.decode(), b.decode()) for a, b in group["edges"][()]]
    alone = [n for n in names if not any(n in p for p in pairs)]
    for a, b in pairs:  # a name that is not there means the node without edges
        a, b = (n if n in names else alone[0] for n in (a, b))
        edges.append((names[a][0], names[b][1]))


def inside(group, kind):
    return next(n for n, node in group["nodes"].items() if node["type"][()].decode() == kind)


def read(path):
    nodes, edges = {}, []
    with h5py.File(path, "r") as f:
        flatten(f["node"], "", nodes, edges)
    for name in [n for n, (kind, _) in nodes.items() if kind in ("Input", "Output") and "." in n]:
        before = [a for a, b in edges if b == name]
        after = [b for a, b in edges if a == name]
        edges = [e for e in edges if name not in e] + [(a, b) for a in before for b in after]
        del nodes[name]
    return nodes, edges


def biases(nodes):
    return [p["bias"] for kind, p in nodes.values() if "bias" in p]


def describe(kind, parameters, summed):
    text = []
    for key, v in sorted(parameters.items()):
        v = np.asarray(v)
        if key == "weight" or v.dtype.kind in "iu":
            text.append((key, v.shape, str(v.dtype), v.tobytes()))
        elif key == "bias" and not summed:
            text.append((key, v.shape, v.tobytes()))
        elif key != "bias":
            text.append((key, v.shape, tuple("%.12g" % x for x in v.ravel())))
    if summed and kind in ("Linear", "Affine"):
        kind = "Linear or Affine"
    return kind, tuple(text)


(nodes_a, edges_a), (nodes_b, edges_b) = read(sys.argv[1]), read(sys.argv[2])
first, second = biases(nodes_a), biases(nodes_b)
summed = len(first) != len(second)
if summed:
    kept = [b for b in second if any(np.array_equal(a, b) for a in first)]
    new = [b for b in second if not any(np.array_equal(a, b) for a in first)]
    assert len(new) == 1 and len(second) == len(first) - 1, "more than two biases differ"
    assert any(np.array_equal(a + b, new[0]) for a in first for b in first if a is not b and a.shape == b.shape), "no sum"
sides = []
for nodes, edges in ((nodes_a, edges_a), (nodes_b, edges_b)):
    text = {name: describe(kind, p, summed) for name, (kind, p) in nodes.items()}
    sides.append((Counter(text.values()), Counter((text[a], text[b]) for a, b in edges)))
assert sides[0][0] == sides[1][0], "nodes differ: %s" % [(k, [x[:2] for x in t]) for k, t in (sides[0][0] - sides[1][0]) + (sides[1][0] - sides[0][0])]
assert sides[0][1] == sides[1][1], "edges differ"
