"""Writes a NIR file again as the project's library does: numbers compressed with gzip.

compress.py FILE.nir OUT.nir
"""

import sys

import h5py


def copy(source, target):
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            copy(item, target.create_group(name))
        elif item.dtype == object:
            target.create_dataset(name, data=item[()], dtype=h5py.string_dtype())
        elif item.shape:
            target.create_dataset(name, data=item[()], compression="gzip")
        else:
            target.create_dataset(name, data=item[()])


with h5py.File(sys.argv[1], "r") as source, h5py.File(sys.argv[2], "w") as target:
    copy(source, target)
