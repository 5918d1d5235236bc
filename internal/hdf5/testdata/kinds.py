"""Writes kinds.h5 and latest.h5 with h5py: every kind of dataset that is read.

Value i of an array of numbers is i - 5 (i, if unsigned); of strings, "s<i>".
"""

import h5py
import numpy as np


def numbers(dtype, *shape):
    first = 0 if np.dtype(dtype).kind == "u" else -5
    return (np.arange(np.prod(shape, dtype=int)) + first).reshape(shape).astype(dtype)


def write(name, **options):
    with h5py.File(name, "w", **options) as f:
        # The newest version of the format keeps more than eight names elsewhere.
        group = f.create_group("numbers") if options else f
        for dtype in ["<i1", "<i2", ">i4", "<i8", "<u1", ">u2", "<u8", "<f4", ">f4", "<f8", ">f8"]:
            if options and dtype == "<u1":
                group = f.create_group("more")
            group.create_dataset("plain" + dtype.replace("<", "l").replace(">", "b"), data=numbers(dtype, 3, 4))
        f.create_dataset("scalar", data=np.float32(-5))
        f.create_dataset("fixed", data=np.array([["s0", "s1"], ["s2", "s3"]], dtype="S4"))
        f.create_dataset("variable", data=np.array(["s0", "s1", "s2"], dtype=object), dtype=h5py.string_dtype())
        if options:
            return
        f.create_dataset("gzip", data=numbers("<f4", 7, 10, 3), chunks=(3, 4, 2), compression="gzip")
        f.create_dataset("shuffle", data=numbers("<i8", 50), chunks=(16,), compression="gzip", shuffle=True)
        f.create_dataset("checked", data=numbers("<i4", 9, 9), chunks=(4, 9), fletcher32=True)
        f.create_dataset("chunked", data=numbers("<f8", 5, 5), chunks=(2, 2))
        many = f.create_group("many")
        for i in range(100):
            many.create_dataset(f"d{i}", data=np.int64(-5))
        deep = f
        for i in range(10):
            deep = deep.create_group("g")
        deep.create_dataset("end", data=numbers("<f4", 2))


write("kinds.h5")
write("latest.h5", libver="latest")
