"""Records the spikes of a small network in PyTorch: makes spikes.npz.

The network is that of spikes.yaml; accelsim import activity reads what this
writes. Run it with any PyTorch: python3 record.py
"""

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(1)
T, B = 5, 3
x = (torch.rand(T, B, 2, 8, 8) < 0.3).float()
w1 = torch.randn(4, 2, 3, 3) * 0.3
w2 = torch.randn(12, 4 * 4 * 4) * 0.2


def lif(u, s, current, tau=0.9, theta=0.3, threshold=0.5):
    u = tau * u + current - theta * s
    return u, (u >= threshold).float()


u1 = s1 = torch.zeros(B, 4, 8, 8)
up = sp = torch.zeros(B, 4, 4, 4)
u2 = s2 = torch.zeros(B, 12)
layer1, layer2 = [], []
for t in range(T):
    u1, s1 = lif(u1, s1, F.conv2d(x[t], w1, padding=1))
    up, sp = lif(up, sp, F.avg_pool2d(s1, 2))
    u2, s2 = lif(u2, s2, sp.flatten(1) @ w2.T)
    layer1.append(sp)  # what layer 1 passes on: after its pooling
    layer2.append(s2)
record = {"x": x, "s1": torch.stack(layer1), "s2": torch.stack(layer2)}
np.savez_compressed("spikes.npz", **{name: v.numpy() for name, v in record.items()})
for name, v in record.items():
    print(name, tuple(v.shape), int((v != 0).sum()), v.numel())
