"""Saves small networks with PyTorch in every way that is read, and some that are not.

expected.npz has the values, as PyTorch reads them.
"""

import json
import os
import pickle
import struct
import zipfile

import numpy as np
import torch
from torch import nn

torch.manual_seed(1)
net = nn.Sequential()
net.add_module("conv1", nn.Conv2d(2, 4, 3, bias=True))
net.add_module("conv2", nn.Conv2d(4, 4, 3, bias=False))
net.add_module("bn", nn.BatchNorm2d(4))
net.add_module("fc", nn.Linear(16, 6))
net.add_module("out", nn.Linear(6, 3))
net.bn.running_var.uniform_(0.5, 1.5)
net.bn.running_mean.uniform_(-1, 1)
state = net.state_dict()
torch.save(state, "state.pt")
torch.save({"epoch": 3, "loss": 0.5, "state_dict": net.state_dict(), "optimizer": {"lr": [0.1], "state": {0: {"m": torch.ones(4, 2, 3, 3)}}}}, "checkpoint.pt")
torch.save(net.state_dict(), "legacy.pt", _use_new_zipfile_serialization=False)
torch.save(net, "module.pt")

base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
kinds = {
    "transposed": base.t(),
    "view": base[1:3, 2:5],
    "parameter": nn.Parameter(torch.tensor([1.5, -2.0])),
    "double": torch.tensor([0.1, 2.0], dtype=torch.float64),
    "half": torch.tensor([0.1, 65504.0, 6e-8], dtype=torch.float16),
    "bfloat16": torch.tensor([0.1, -3e38], dtype=torch.bfloat16),
    "scalar": torch.tensor(4.0),
    "long": torch.tensor([1, -2]),
    "nested": {"inner": torch.tensor([7.0])},
    "empty": torch.zeros(0, 3),
}
torch.save(kinds, "kinds.pt")
values = {name: t.float() for name, t in kinds.items() if name not in ("nested", "long")}
values["nested.inner"] = kinds["nested"]["inner"]
values.update(state)
np.savez_compressed("expected.npz", **{name: t.detach().numpy() for name, t in values.items() if "num_batches" not in name})


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/accelsim-was-here",)


with zipfile.ZipFile("evil.pt", "w") as z:
    z.writestr("evil/data.pkl", pickle.dumps({"w1": Evil()}, protocol=2))

header, data = {"__metadata__": {"format": "pt"}}, b""
for name, t in sorted(state.items()):
    if t.dtype == torch.float32:
        raw = t.numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
text = json.dumps(header).encode()
with open("state.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + data)

x = (np.random.default_rng(1).random((2, 1, 2, 6, 6)) < 0.3).astype(np.uint8)
np.savez_compressed("batch.npz", x=x, y=np.array([2]))
