"""Holds the weights in an NPZ file to those in a NIR file, as h5py reads them: bit for bit.

weights.py FILE.nir FILE.npz
"""

import sys

import h5py
import numpy as np

weights, biases = [], []
with h5py.File(sys.argv[1], "r") as f:

    def visit(name, dataset):
        if isinstance(dataset, h5py.Dataset):
            if name.endswith("/weight"):
                weights.append(dataset[()])
            if name.endswith("/bias"):
                biases.append(dataset[()])

    f.visititems(visit)

written = dict(np.load(sys.argv[2]))
bits = lambda a: (a.dtype, a.shape, a.tobytes())
got = sorted(map(str, (bits(a) for name, a in written.items() if name.startswith("w"))))
want = sorted(map(str, (bits(a) for a in weights)))
assert got == want, "weights differ"
kept = [a for name, a in written.items() if name.startswith("b")]
if len(kept) < len(biases):  # two were summed
    summed = next(a for a in kept if not any(np.array_equal(a, b) for b in biases))
    pairs = [(a, b) for a in biases for b in biases if a is not b and a.shape == b.shape]
    assert any(np.array_equal(summed, a + b) for a, b in pairs), "no two biases make the sum"
else:
    assert sorted(str(bits(a)) for a in kept) == sorted(str(bits(a)) for a in biases), "biases differ"
