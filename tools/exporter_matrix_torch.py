# SPDX-License-Identifier: Apache-2.0
"""exporter_matrix_torch.py - the torch, quantised and optimised families.

Imported by exporter_matrix.py; see there.
"""
import os
import tempfile

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

FAMILIES = {}


def family(name):
    def add(fn):
        FAMILIES[name] = fn
        return fn
    return add


def rand(*shape, seed=0, scale=1.0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g) * scale


def ints(*shape, high=7, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, high, shape, generator=g)


class Fn(nn.Module):
    """A function as a module."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, *args):
        return self.fn(*args)


def op_cases():
    """name -> (function or module, inputs)."""
    torch.manual_seed(0)
    x, y = rand(2, 3, 4), rand(2, 3, 4, seed=1)
    im, pos = rand(2, 4, 9, 10), rand(2, 3, 4).abs() + 0.1
    sq, i64 = rand(3, 4, 4), ints(2, 3, 4)
    mask = x > 0
    c = {}
    for n in ("abs acos asin atan ceil cos cosh erf exp expm1 floor log1p neg "
              "round sigmoid sign sin sinh tan tanh trunc frac square relu "
              "isnan isinf isfinite logical_not selu celu "
              "deg2rad rad2deg sinc erfc exp2").split():
        v = x * 0.4 if n in ("acos", "asin") else x
        if n == "log1p":
            v = pos
        c[n] = (getattr(torch, n), (v,))
    for n in "log log2 log10 sqrt rsqrt reciprocal acosh lgamma".split():
        c[n] = (getattr(torch, n), (pos + (1 if n == "acosh" else 0),))
    for n in ("asinh", "atanh"):
        c[n] = (getattr(torch, n), (x * 0.3,))
    for n in ("gelu silu mish softplus softsign hardtanh hardswish hardsigmoid "
              "elu leaky_relu logsigmoid relu6 tanhshrink softshrink hardshrink "
              "rrelu").split():
        c[n] = (getattr(F, n), (x * 3,))
    c["gelu_tanh"] = (lambda a: F.gelu(a, approximate="tanh"), (x,))
    c["threshold"] = (lambda a: F.threshold(a, 0.1, -2.0), (x,))
    c["glu"] = (lambda a: F.glu(a, -1), (x,))
    c["prelu"] = (nn.PReLU(4), (im,))
    for n in ("add sub mul div maximum minimum atan2 fmod remainder "
              "floor_divide eq ne lt le gt ge logical_and logical_or "
              "logical_xor hypot copysign logaddexp").split():
        c[n] = (getattr(torch, n), (x, y))
    c["true_div_int"] = (torch.div, (i64, ints(2, 3, 4, seed=2) + 1))
    c["floor_div_int"] = (lambda a, b: torch.div(a - 3, b,
                                                 rounding_mode="floor"),
                          (i64, ints(2, 3, 4, seed=2) + 1))
    c["trunc_div"] = (lambda a, b: torch.div(a, b, rounding_mode="trunc"),
                      (x, y))
    c["remainder_int"] = (lambda a, b: torch.remainder(a - 3, b),
                          (i64, ints(2, 3, 4, seed=2) + 1))
    c["pow"] = (torch.pow, (pos, y))
    c["pow2"] = (lambda a: a ** 2 + a ** 3 + 2 ** a, (x,))
    c["bitwise"] = (lambda a, b: (a & b) | (a ^ b), (i64, i64 + 1))
    c["shift"] = (lambda a: (a << 2) + (a >> 1), (i64,))
    c["where"] = (torch.where, (mask, x, y))
    c["masked_fill"] = (lambda a, m: a.masked_fill(m, -1e4), (x, mask))
    c["masked_select"] = (torch.masked_select, (x, mask))
    c["nan_to_num"] = (torch.nan_to_num, (torch.log(x),))
    c["clamp"] = (lambda a: a.clamp(-0.5, 0.7), (x,))
    c["clamp_int"] = (lambda a: a.clamp(1, 4), (i64,))
    c["clamp_min"] = (lambda a: a.clamp(min=0.2), (x,))
    c["lerp"] = (lambda a, b: torch.lerp(a, b, 0.3), (x, y))
    c["addcmul"] = (lambda a, b: torch.addcmul(a, a, b, value=0.5), (x, y))
    c["addcdiv"] = (lambda a, b: torch.addcdiv(a, a, b, value=0.5), (x, pos))
    for n in "sum mean prod amax amin".split():
        for tag, kw in (("", {}), ("_1", {"dim": 1}),
                        ("_k", {"dim": -1, "keepdim": True})):
            if n == "prod" or tag or n in ("sum", "mean"):
                c[n + tag] = ((lambda a, n=n, kw=kw:
                               getattr(torch, n)(a, **kw)), (x,))
    c["max_dim"] = (lambda a: torch.max(a, 1), (x,))
    c["min_dim"] = (lambda a: torch.min(a, -1, keepdim=True), (x,))
    c["argmax"] = (lambda a: torch.argmax(a, 1), (x,))
    c["argmin_all"] = (lambda a: torch.argmin(a), (x,))
    c["std"] = (lambda a: torch.std(a, 1), (x,))
    c["var_mean"] = (lambda a: torch.var_mean(a, (0, 2), unbiased=False), (x,))
    c["norm"] = (lambda a: torch.norm(a, dim=1), (x,))
    c["norm1"] = (lambda a: torch.linalg.vector_norm(a, 1, dim=-1), (x,))
    c["normalize"] = (lambda a: F.normalize(a, dim=1), (x,))
    c["logsumexp"] = (lambda a: torch.logsumexp(a, 1), (x,))
    c["cumsum"] = (lambda a: torch.cumsum(a, 1), (x,))
    c["cumprod"] = (lambda a: torch.cumprod(a, 1), (x,))
    c["any_all"] = (lambda m: (m.any(), m.all(1)), (mask,))
    c["count_nonzero"] = (lambda a: torch.count_nonzero(a > 0, 1), (x,))
    c["softmax"] = (lambda a: F.softmax(a, 1), (x,))
    c["log_softmax"] = (lambda a: F.log_softmax(a, -1), (x,))
    c["softmin"] = (lambda a: F.softmin(a, 0), (x,))
    c["gumbelless_onehot"] = (lambda a: F.one_hot(a, 7), (i64,))
    c["topk"] = (lambda a: torch.topk(a, 2, dim=1), (x,))
    c["sort"] = (lambda a: torch.sort(a, -1, descending=True), (x,))
    c["argsort"] = (lambda a: torch.argsort(a, 1), (x,))
    c["unique"] = (lambda a: torch.unique(a), (i64,))
    c["nonzero"] = (torch.nonzero, (mask,))
    c["matmul"] = (torch.matmul, (rand(2, 3, 4), rand(4, 5)))
    c["bmm"] = (torch.bmm, (sq, rand(3, 4, 2)))
    c["mv"] = (torch.mv, (rand(3, 4), rand(4)))
    c["dot"] = (torch.dot, (rand(4), rand(4, seed=1)))
    c["addmm"] = (lambda a, b, d: torch.addmm(a, b, d, alpha=0.5, beta=2.0),
                  (rand(3, 5), rand(3, 4), rand(4, 5)))
    c["baddbmm"] = (torch.baddbmm, (sq, sq, rand(3, 4, 4, seed=2)))
    c["einsum"] = (lambda a, b: torch.einsum("bij,bkj->bik", a, b), (x, y))
    c["einsum_t"] = (lambda a, b: torch.einsum("bhqd,bhkd->bhqk", a, b),
                     (rand(2, 3, 4, 5), rand(2, 3, 6, 5)))
    c["outer"] = (torch.outer, (rand(3), rand(4)))
    c["kron"] = (torch.kron, (rand(2, 2), rand(2, 3)))
    c["cdist"] = (torch.cdist, (rand(1, 3, 4), rand(1, 5, 4)))
    c["cosine"] = (lambda a, b: F.cosine_similarity(a, b, 1), (x, y))
    c["pairwise"] = (F.pairwise_distance, (rand(3, 4), rand(3, 4, seed=1)))
    c["det"] = (torch.det, (sq,))
    c["inverse_free"] = (lambda a: torch.triu(a) + torch.tril(a, -1), (sq,))
    c["diag"] = (lambda a: torch.diagonal(a, 0, 1, 2), (sq,))
    c["trace"] = (torch.trace, (rand(4, 4),))
    c["cat"] = (lambda a, b: torch.cat([a, b], 1), (x, y))
    c["stack"] = (lambda a, b: torch.stack([a, b], 2), (x, y))
    c["split"] = (lambda a: torch.split(a, [1, 2], 1), (x,))
    c["chunk"] = (lambda a: torch.chunk(a, 3, 2), (x,))
    c["unbind"] = (lambda a: torch.unbind(a, 1), (x,))
    c["flip"] = (lambda a: torch.flip(a, [1, 2]), (x,))
    c["roll"] = (lambda a: torch.roll(a, (1, -2), (1, 2)), (x,))
    c["repeat"] = (lambda a: a.repeat(2, 1, 3), (x,))
    c["repeat_interleave"] = (lambda a: a.repeat_interleave(2, 1), (x,))
    c["expand"] = (lambda a: a[:, :1].expand(-1, 5, -1), (x,))
    c["permute"] = (lambda a: a.permute(2, 0, 1).contiguous(), (x,))
    c["reshape"] = (lambda a: a.reshape(a.shape[0], -1), (x,))
    c["unfold_t"] = (lambda a: a.unfold(2, 2, 1), (x,))
    c["slice"] = (lambda a: a[:, 1:, ::2], (x,))
    c["slice_neg"] = (lambda a: a[..., -3:-1], (x,))
    c["index"] = (lambda a, i: a[:, i], (x, torch.tensor([2, 0, 1, 1])))
    c["index2"] = (lambda a, i, j: a[i, j],
                   (x, torch.tensor([1, 0]), torch.tensor([2, 2])))
    c["index_put"] = (lambda a, i: a.index_put((i,), torch.zeros(3, 4)),
                      (x, torch.tensor([1])))
    c["assign"] = (lambda a: torch.cat([a[:, :1] * 0, a[:, 1:]], 1), (x,))
    c["setitem"] = (_setitem, (x,))
    c["gather"] = (lambda a, i: torch.gather(a, 1, i), (x, ints(2, 3, 4,
                                                                high=3)))
    c["index_select"] = (lambda a, i: torch.index_select(a, 1, i),
                         (x, torch.tensor([0, 2])))
    c["take"] = (torch.take, (x, torch.tensor([0, 5, 11])))
    c["scatter"] = (lambda a, i, s: a.scatter(1, i, s),
                    (x, ints(2, 2, 4, high=3), rand(2, 2, 4)))
    c["scatter_add"] = (lambda a, i, s: a.scatter_add(1, i, s),
                        (x, ints(2, 2, 4, high=3), rand(2, 2, 4)))
    c["scatter_reduce"] = (lambda a, i, s: a.scatter_reduce(1, i, s, "amax"),
                           (x, ints(2, 2, 4, high=3), rand(2, 2, 4)))
    c["bucketize"] = (lambda a: torch.bucketize(
        a, torch.tensor([-0.5, 0.0, 0.5])), (x,))
    c["searchless_meshgrid"] = (lambda a, b: torch.meshgrid(
        a, b, indexing="ij"), (rand(3), rand(4)))
    c["arange"] = (lambda a: torch.arange(a.shape[1]) + a.sum(), (x,))
    c["full_like"] = (lambda a: torch.full_like(a, 2.5) + torch.ones_like(a),
                      (x,))
    c["cast"] = (lambda a: (a.to(torch.int64), (a > 0).float(),
                            a.double()), (x * 4,))
    c["half"] = (lambda a: (a.half() * 2).float(), (x,))
    c["embedding"] = (nn.Embedding(7, 5), (i64,))
    c["embedding_pad"] = (nn.Embedding(7, 5, padding_idx=0), (i64,))
    c["embedding_bag"] = (nn.EmbeddingBag(7, 5, mode="mean"), (ints(3, 4),))
    for n in ("Linear(4, 6)", "Bilinear"):
        if n.startswith("Linear"):
            c["linear"] = (nn.Linear(4, 6), (x,))
    c["linear_nobias"] = (nn.Linear(4, 6, bias=False), (x,))
    c["bilinear"] = (nn.Bilinear(4, 5, 3), (rand(6, 4), rand(6, 5)))
    c["batch_norm"] = (nn.BatchNorm2d(4), (im,))
    c["batch_norm1"] = (nn.BatchNorm1d(3), (x,))
    c["instance_norm"] = (nn.InstanceNorm2d(4, affine=True), (im,))
    c["layer_norm"] = (nn.LayerNorm([3, 4]), (x,))
    c["layer_norm1"] = (nn.LayerNorm(4), (x,))
    c["group_norm"] = (nn.GroupNorm(2, 4), (im,))
    c["rms_norm"] = (nn.RMSNorm(4), (x,))
    c["lrn"] = (nn.LocalResponseNorm(3), (im,))
    c["conv1d"] = (nn.Conv1d(3, 5, 3, padding=1), (rand(2, 3, 12),))
    c["conv2d"] = (nn.Conv2d(4, 6, 3), (im,))
    c["conv_stride"] = (nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0)), (im,))
    c["conv_dilated"] = (nn.Conv2d(4, 6, 3, dilation=2, padding=2), (im,))
    c["conv_group"] = (nn.Conv2d(4, 8, 3, groups=2, bias=False), (im,))
    c["conv_depth"] = (nn.Conv2d(4, 4, 3, groups=4, padding=1), (im,))
    c["conv_same"] = (nn.Conv2d(4, 4, 4, padding="same"), (im,))
    c["conv_circular"] = (nn.Conv2d(4, 4, 3, padding=1,
                                    padding_mode="circular"), (im,))
    c["conv3d"] = (nn.Conv3d(2, 3, 3, padding=1), (rand(1, 2, 4, 5, 6),))
    c["convt1d"] = (nn.ConvTranspose1d(3, 5, 3, 2), (rand(2, 3, 12),))
    c["convt2d"] = (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1), (im,))
    c["convt_group"] = (nn.ConvTranspose2d(4, 6, 3, groups=2, dilation=2),
                        (im,))
    c["convt3d"] = (nn.ConvTranspose3d(2, 3, 2, 2), (rand(1, 2, 3, 4, 5),))
    for n, m in {"max": nn.MaxPool2d(3, 2, 1), "avg": nn.AvgPool2d(3, 2, 1),
                 "avg_nopad": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
                 "max_ceil": nn.MaxPool2d(3, 2, ceil_mode=True),
                 "avg_ceil": nn.AvgPool2d(3, 2, 1, ceil_mode=True),
                 "max_dil": nn.MaxPool2d(2, 1, dilation=2),
                 "lp": nn.LPPool2d(2, 3, 2),
                 "max_ind": nn.MaxPool2d(2, 2, return_indices=True),
                 "adaptive_avg1": nn.AdaptiveAvgPool2d(1),
                 "adaptive_avg": nn.AdaptiveAvgPool2d((3, 5)),
                 "adaptive_max": nn.AdaptiveMaxPool2d((3, 5))}.items():
        c["pool_" + n] = (m, (im,))
    c["pool_max1d"] = (nn.MaxPool1d(3, 2), (rand(2, 3, 11),))
    c["pool_avg3d"] = (nn.AvgPool3d(2), (rand(1, 2, 4, 5, 6),))
    for mode in ("nearest", "bilinear", "bicubic", "nearest-exact", "area"):
        for corners in (False, True):
            if corners and mode in ("nearest", "nearest-exact", "area"):
                continue
            kw = {"align_corners": corners} \
                if mode in ("bilinear", "bicubic") else {}
            tag = f"interp_{mode}{'_corners' if corners else ''}"
            c[tag] = ((lambda a, mode=mode, kw=kw: F.interpolate(
                a, scale_factor=2.0, mode=mode, **kw)), (im,))
            c[tag + "_size"] = ((lambda a, mode=mode, kw=kw: F.interpolate(
                a, size=(7, 13), mode=mode, **kw)), (im,))
    c["interp_aa"] = (lambda a: F.interpolate(
        a, size=(5, 6), mode="bilinear", antialias=True), (im,))
    c["interp_linear1d"] = (lambda a: F.interpolate(
        a, scale_factor=2.0, mode="linear"), (rand(1, 2, 6),))
    c["interp_3d"] = (lambda a: F.interpolate(
        a, scale_factor=2.0, mode="trilinear"), (rand(1, 2, 3, 4, 5),))
    for mode in ("constant", "reflect", "replicate", "circular"):
        c["pad_" + mode] = ((lambda a, m=mode: F.pad(a, (1, 2, 3, 1),
                                                     mode=m)), (im,))
    c["pad_neg"] = (lambda a: F.pad(a, (-1, 2, 0, -1), value=0.5), (im,))
    c["pixel_shuffle"] = (nn.PixelShuffle(2), (im,))
    c["pixel_unshuffle"] = (nn.PixelUnshuffle(3), (rand(1, 2, 6, 9),))
    c["channel_shuffle"] = (lambda a: F.channel_shuffle(a, 2), (im,))
    c["fold"] = (nn.Fold((6, 6), 2, stride=2), (rand(1, 8, 9),))
    c["unfold"] = (nn.Unfold(3, padding=1), (im,))
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            c[f"grid_{mode}_{padding}"] = (
                (lambda a, g, m=mode, p=padding: F.grid_sample(
                    a, g, m, p, align_corners=False)),
                (im, torch.tanh(rand(2, 5, 6, 2)) * 1.2))
    c["affine_grid"] = (lambda t: F.affine_grid(t, (2, 3, 4, 5), False),
                        (rand(2, 2, 3),))
    c["stft"] = (lambda a: torch.view_as_real(torch.stft(
        a, 16, 8, window=torch.hann_window(16), return_complex=True)),
        (rand(1, 64),))
    c["rfft"] = (lambda a: torch.view_as_real(torch.fft.rfft(a)),
                 (rand(2, 16),))
    c["fft"] = (lambda a: torch.view_as_real(torch.fft.fft(a)), (rand(2, 10),))
    for n, loss in {"mse": nn.MSELoss(), "l1": nn.L1Loss(),
                    "smooth": nn.SmoothL1Loss(), "huber": nn.HuberLoss(),
                    "kl": nn.KLDivLoss(reduction="batchmean"),
                    "bce_logits": nn.BCEWithLogitsLoss()}.items():
        c["loss_" + n] = (loss, (x, pos))
    c["loss_ce"] = (nn.CrossEntropyLoss(), (rand(5, 7), ints(5)))
    c["loss_ce_smooth"] = (nn.CrossEntropyLoss(label_smoothing=0.1),
                           (rand(5, 7), ints(5)))
    c["loss_nll"] = (nn.NLLLoss(), (F.log_softmax(rand(5, 7), 1), ints(5)))
    c["loss_ce_2d"] = (nn.CrossEntropyLoss(ignore_index=2),
                       (rand(2, 7, 3, 3), ints(2, 3, 3)))
    for causal in (False, True):
        c[f"sdpa_{causal}"] = (
            (lambda q, k, v, z=causal: F.scaled_dot_product_attention(
                q, k, v, is_causal=z)),
            (rand(1, 2, 5, 8), rand(1, 2, 5, 8, seed=1),
             rand(1, 2, 5, 8, seed=2)))
    c["sdpa_mask"] = (lambda q, k, m: F.scaled_dot_product_attention(
        q, k, k, attn_mask=m), (rand(1, 2, 5, 8), rand(1, 2, 6, 8),
                                rand(5, 6) > 0))
    c["mha"] = (_Mha(), (rand(2, 5, 8),))
    for kind in ("RNN", "LSTM", "GRU"):
        for tag, kw in {"": {}, "_bi": {"bidirectional": True},
                        "_2": {"num_layers": 2}, "_bf": {"batch_first": True},
                        "_nobias": {"bias": False}}.items():
            c[kind.lower() + tag] = (getattr(nn, kind)(4, 5, **kw),
                                     (rand(6, 2, 4),))
    c["rnn_relu"] = (nn.RNN(4, 5, nonlinearity="relu"), (rand(6, 2, 4),))
    c["lstm_state"] = (nn.LSTM(4, 5), (rand(6, 2, 4),
                                       (rand(1, 2, 5), rand(1, 2, 5, seed=3))))
    c["lstm_proj"] = (nn.LSTM(4, 6, proj_size=3), (rand(6, 2, 4),))
    c["lstm_cell"] = (nn.LSTMCell(4, 5), (rand(3, 4),))
    c["gru_cell"] = (nn.GRUCell(4, 5), (rand(3, 4),))
    return c


def _setitem(a):
    b = a.clone()
    b[:, 1:, 2] = 0.5
    return b


class _Mha(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.a(x, x, x)


class _Residual(nn.Module):
    def __init__(self, c, se=False):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c),
            nn.ReLU(), nn.Conv2d(c, c, 3, padding=1, groups=c if se else 1),
            nn.BatchNorm2d(c))
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, 2, 1), nn.SiLU(),
            nn.Conv2d(2, c, 1), nn.Hardsigmoid()) if se else None

    def forward(self, x):
        y = self.body(x)
        if self.se is not None:
            y = y * self.se(y)
        return F.relu(x + y)


class _UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1),
                               nn.InstanceNorm2d(8), nn.LeakyReLU(0.1))
        self.b = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.GroupNorm(4, 16),
                               nn.GELU())
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.out = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        a = self.a(x)
        b = F.interpolate(self.b(a), scale_factor=1.0)
        return torch.softmax(self.out(torch.cat([a, self.up(b)], 1)), 1)


class _Gpt(nn.Module):
    def __init__(self, v=31, d=16, h=4):
        super().__init__()
        self.h = h
        self.tok, self.pos = nn.Embedding(v, d), nn.Embedding(16, d)
        self.ln, self.qkv = nn.LayerNorm(d), nn.Linear(d, 3 * d)
        self.proj, self.ln2 = nn.Linear(d, d), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU("tanh"),
                                 nn.Linear(4 * d, d))
        self.head = nn.Linear(d, v, bias=False)

    def forward(self, ids):
        b, s = ids.shape
        x = self.tok(ids) + self.pos(torch.arange(s))
        q, k, v = self.qkv(self.ln(x)).chunk(3, -1)
        q, k, v = (t.view(b, s, self.h, -1).transpose(1, 2)
                   for t in (q, k, v))
        w = q @ k.transpose(-1, -2) / (q.shape[-1] ** 0.5)
        m = torch.tril(torch.ones(s, s)).bool()
        w = w.masked_fill(~m, float("-inf")).softmax(-1)
        x = x + self.proj((w @ v).transpose(1, 2).reshape(b, s, -1))
        return self.head(x + self.mlp(self.ln2(x)))


class _Loop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(4, 5)

    def forward(self, x):
        h = torch.zeros(x.shape[1], 5)
        out = []
        for t in range(x.shape[0]):
            h = self.cell(x[t], h)
            out.append(h)
        return torch.stack(out)


def net_cases():
    torch.manual_seed(0)
    enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(
        16, 4, 32, batch_first=True, dropout=0.0), 2,
        enable_nested_tensor=False)
    dec = nn.TransformerDecoder(nn.TransformerDecoderLayer(
        16, 4, 32, batch_first=True, activation="gelu"), 1)
    im = rand(2, 3, 16, 16)
    return {
        "mlp": (nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(),
                              nn.Linear(16, 16), nn.Tanh(),
                              nn.Linear(16, 3)), (rand(4, 8),)),
        "cnn": (nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU6(), nn.Flatten(),
            nn.Linear(8 * 36, 5)), (im,)),
        "resnet": (nn.Sequential(
            nn.Conv2d(3, 8, 5, 2, 2), _Residual(8), _Residual(8),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)), (im,)),
        "mobile": (nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.Hardswish(), _Residual(8, True),
            nn.Conv2d(8, 16, 1), nn.SiLU(), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(), nn.Linear(16, 5), nn.Softmax(1)), (im,)),
        "unet": (_UNet(), (im,)),
        "encoder": (enc, (rand(2, 6, 16),)),
        "decoder": (dec, (rand(2, 5, 16), rand(2, 6, 16, seed=1))),
        "gpt": (_Gpt(), (ints(2, 7, high=31),)),
        "loop": (_Loop(), (rand(6, 2, 4),)),
        "tcn": (nn.Sequential(
            nn.Conv1d(3, 8, 3, dilation=2, padding=4), nn.ReLU(),
            nn.BatchNorm1d(8), nn.Conv1d(8, 8, 3, groups=8),
            nn.PReLU(), nn.AvgPool1d(2), nn.Flatten(), nn.LazyLinear(4)),
            (rand(2, 3, 20),)),
    }


def export(module, args, dynamo, opset, dynamic=False):
    torch.manual_seed(0)
    m = module if isinstance(module, nn.Module) else Fn(module)
    m = m.eval()
    with torch.no_grad():
        m(*args)
    path = tempfile.mktemp(suffix=".onnx")
    kw = {"opset_version": opset} if opset else {}
    flat = []
    for a in args:
        flat.extend(a if isinstance(a, tuple) else [a])
    if not dynamo and dynamic:
        names = [f"in{i}" for i in range(len(flat))]
        kw["input_names"] = names
        kw["dynamic_axes"] = {n: {0: "n"} for n in names}
    try:
        if dynamo:
            torch.onnx.export(m, args, dynamo=True, verbose=False,
                              external_data=False, **kw).save(path)
        else:
            torch.onnx.export(m, args, path, dynamo=False, **kw)
        model = onnx.load(path)
    finally:
        for p in (path, path + ".data"):
            if os.path.exists(p):
                os.remove(p)
    used = {i.name for i in model.graph.input}
    return model, [a.numpy() for a in flat][:len(used)]


def quiet(fn):
    def run(*args):
        import contextlib
        import io
        import logging
        logging.disable(logging.WARNING)
        with contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()):
            return fn(*args)
    return run


def maker(*args):
    return lambda: quiet(export)(*args)


@family("torch_old")
def gen_torch_old():
    for name, (m, args) in {**op_cases(), **net_cases()}.items():
        for opset in (17, 11):
            yield f"old{opset}_{name}", maker(m, args, False, opset)
    for name, (m, args) in net_cases().items():
        yield f"old14_dyn_{name}", maker(m, args, False, 14, True)


@family("torch_dynamo")
def gen_torch_dynamo():
    for name, (m, args) in {**op_cases(), **net_cases()}.items():
        yield f"dynamo_{name}", maker(m, args, True, None)
    for name, (m, args) in net_cases().items():
        yield f"dynamo23_{name}", maker(m, args, True, 23)


# --- quantised and optimised ---------------------------------------------------------

def in_files(model, fn):
    """fn(path in, path out) over temporary files; returns the new model."""
    with tempfile.TemporaryDirectory() as tmp:
        a, b = os.path.join(tmp, "a.onnx"), os.path.join(tmp, "b.onnx")
        onnx.save(model, a)
        fn(a, b)
        return onnx.load(b)


def narrow():
    """Whether weights need 7 bits for ONNX Runtime's sums to be exact: CPUs
    without VNNI add pairs of uint8 x int8 products in 16 bits."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            return "vnni" not in f.read()
    except OSError:
        return True


class Reader:
    def __init__(self, model, feeds, n=4):
        names = [i.name for i in model.graph.input]
        rng = np.random.default_rng(0)
        self.rows = []
        for _ in range(n):
            row = {}
            for k, v in zip(names, feeds):
                row[k] = v if v.dtype.kind == "i" else (
                    v + 0.1 * rng.normal(size=v.shape)).astype(v.dtype)
            self.rows.append(row)
        self.at = iter(self.rows)

    def get_next(self):
        return next(self.at, None)


def quantise(name, case, how):
    @quiet
    def make():
        from onnxruntime import quantization as q
        from onnxruntime.quantization import shape_inference
        model, feeds = export(*case, False, 17)
        t = q.QuantType
        if how == "dynamic":
            return in_files(model, lambda a, b: q.quantize_dynamic(
                a, b, reduce_range=narrow())), feeds
        if how == "dynamic_s8":
            return in_files(model, lambda a, b: q.quantize_dynamic(
                a, b, weight_type=t.QInt8, per_channel=True,
                reduce_range=narrow())), feeds
        if how == "fp16":
            from onnxruntime.transformers.float16 import \
                convert_float_to_float16
            return convert_float_to_float16(model, keep_io_types=True), feeds
        if how == "nbits":
            from onnxruntime.quantization.matmul_nbits_quantizer import \
                MatMulNBitsQuantizer
            z = MatMulNBitsQuantizer(model, 4, 16, False)
            z.process()
            return z.model.model, feeds
        fmt = q.QuantFormat.QOperator if how.startswith("qop") \
            else q.QuantFormat.QDQ
        act = t.QInt8 if "s8s8" in how else t.QUInt8
        if "u16" in how:
            act = t.QUInt16
        weight = t.QUInt8 if "u8u8" in how else t.QInt8

        def static(a, b):
            p = a + ".pre"
            shape_inference.quant_pre_process(a, p)
            q.quantize_static(
                p, b, Reader(model, feeds), quant_format=fmt,
                activation_type=act, weight_type=weight,
                per_channel="channel" in how, reduce_range="reduce" in how or narrow(),
                extra_options={"ActivationSymmetric": "s8s8" in how})
        return in_files(model, static), feeds
    return make


@family("quantised")
def gen_quantised():
    nets = net_cases()
    for net, case in nets.items():
        for how in ("dynamic", "dynamic_s8", "qdq_u8s8", "qdq_s8s8",
                    "qdq_u8u8", "qdq_channel", "qdq_u16", "qop_u8s8",
                    "qop_s8s8", "qop_u8u8_reduce", "qop_channel", "fp16",
                    "nbits"):
            yield f"{net}_{how}", quantise(net, case, how)
    ops = op_cases()
    for name in ("lstm", "lstm_bi", "gru", "embedding", "conv_group",
                 "convt2d", "pool_avg", "pool_max", "pad_constant", "sigmoid",
                 "leaky_relu", "softmax", "split", "cat", "where", "matmul",
                 "linear", "gather", "interp_nearest", "layer_norm",
                 "instance_norm", "topk", "clamp", "argmax", "gelu"):
        for how in ("dynamic", "qdq_u8s8", "qdq_s8s8", "qop_u8s8",
                    "qop_s8s8", "fp16"):
            yield f"{name}_{how}", quantise(name, ops[name], how)


def ort_optimised(make, level):
    @quiet
    def inner():
        import onnxruntime as ort
        model, feeds = make()

        def save(a, b):
            o = ort.SessionOptions()
            o.log_severity_level = 4
            o.graph_optimization_level = getattr(
                ort.GraphOptimizationLevel, "ORT_ENABLE_" + level)
            o.optimized_model_filepath = b
            ort.InferenceSession(a, o, providers=["CPUExecutionProvider"])
        return in_files(model, save), feeds
    return inner


@family("ort_optimised")
def gen_ort_optimised():
    nets = net_cases()
    for net, case in nets.items():
        yield f"ext_{net}", ort_optimised(maker(*case, False, 17), "EXTENDED")
        yield (f"ext_dynamo_{net}",
               ort_optimised(maker(*case, True, None), "EXTENDED"))
        for how in ("qdq_u8s8", "qdq_s8s8", "qop_u8s8", "dynamic", "fp16"):
            yield (f"ext_{net}_{how}",
                   ort_optimised(quantise(net, case, how), "EXTENDED"))
    for name in ("mha", "sdpa_True", "gelu", "gelu_tanh", "layer_norm1",
                 "rms_norm", "matmul", "einsum_t", "lstm", "hardswish",
                 "silu", "conv2d", "linear", "softmax", "mish"):
        yield (f"ext_{name}",
               ort_optimised(maker(*op_cases()[name], False, 17), "EXTENDED"))


def hf_models():
    import transformers as tf
    small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                 intermediate_size=64, vocab_size=99,
                 max_position_embeddings=32)
    ids = ints(2, 9, high=99)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    yield "bert", tf.BertModel(tf.BertConfig(**small)), (ids, mask), "bert"
    yield ("distilbert", tf.DistilBertModel(tf.DistilBertConfig(
        dim=32, n_layers=2, n_heads=4, hidden_dim=64, vocab_size=99,
        max_position_embeddings=32)), (ids, mask), "bert")
    yield ("roberta", tf.RobertaModel(tf.RobertaConfig(**small)),
           (ids, mask), "bert")
    yield ("electra", tf.ElectraModel(tf.ElectraConfig(
        embedding_size=16, **small)), (ids, mask), "bert")
    yield ("albert", tf.AlbertModel(tf.AlbertConfig(
        embedding_size=16, **small)), (ids, mask), "bert")
    yield ("mpnet", tf.MPNetModel(tf.MPNetConfig(**small)), (ids, mask),
           "bert")
    yield ("deberta", tf.DebertaV2Model(tf.DebertaV2Config(**small)),
           (ids, mask), "bert")
    yield ("gpt2", tf.GPT2Model(tf.GPT2Config(
        n_embd=32, n_layer=2, n_head=4, vocab_size=99, n_positions=32,
        use_cache=False)), (ids, None, mask), "gpt2")
    llama = dict(small, num_key_value_heads=2, use_cache=False)
    yield ("llama", tf.LlamaModel(tf.LlamaConfig(**llama)), (ids, mask),
           "gpt2")
    yield ("qwen2", tf.Qwen2Model(tf.Qwen2Config(**llama)), (ids, mask),
           "gpt2")
    yield ("t5enc", tf.T5EncoderModel(tf.T5Config(
        d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        vocab_size=99)), (ids, mask), "bert")
    yield ("vit", tf.ViTModel(tf.ViTConfig(
        image_size=16, patch_size=4, **{k: v for k, v in small.items()
                                        if k not in ("vocab_size",
                                                     "max_position_embeddings"
                                                     )})),
           (rand(1, 3, 16, 16),), "vit")
    yield ("clip_text", tf.CLIPTextModel(tf.CLIPTextConfig(**small)),
           (ids, mask), "clip")
    yield ("swin", tf.SwinModel(tf.SwinConfig(
        image_size=16, patch_size=2, embed_dim=16, depths=[1, 1],
        num_heads=[2, 2], window_size=4)), (rand(1, 3, 16, 16),), "swin")
    yield ("convnext", tf.ConvNextModel(tf.ConvNextConfig(
        hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)),
        (rand(1, 3, 32, 32),), "vit")
    yield ("whisper_enc", tf.WhisperModel(tf.WhisperConfig(
        d_model=32, encoder_layers=2, decoder_layers=1,
        encoder_attention_heads=4, decoder_attention_heads=4,
        encoder_ffn_dim=64, decoder_ffn_dim=64, vocab_size=99,
        num_mel_bins=8, max_source_positions=10, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1)).encoder,
        (rand(1, 8, 20),), "bart")
    yield ("wav2vec2", tf.Wav2Vec2Model(tf.Wav2Vec2Config(
        conv_dim=(8, 8), conv_stride=(5, 2), conv_kernel=(10, 3),
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
        num_feat_extract_layers=2, **small)), (rand(1, 400),), "bert")


class First(nn.Module):
    """The tensors of a transformers output."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, *args):
        out = self.m(*args)
        keep = [v for v in out.values() if isinstance(v, torch.Tensor)] \
            if hasattr(out, "values") else out[0]
        return tuple(keep) if isinstance(keep, list) else keep


@family("transformers")
def gen_transformers():
    for name, model, args, kind in hf_models():
        model = First(model.eval())
        for dynamo in (False, True):
            tag = name + ("_dynamo" if dynamo else "_old")
            opset = None if dynamo else 17
            made = maker(model, args, dynamo, opset)
            yield tag, made
            yield tag + "_ext", ort_optimised(made, "EXTENDED")

            def optimised(fp16=False, made=made, kind=kind):
                @quiet
                def inner():
                    from onnxruntime.transformers import optimizer
                    model, feeds = made()

                    def run(a, b):
                        m = optimizer.optimize_model(
                            a, model_type=kind, num_heads=4, hidden_size=32,
                            opt_level=0)
                        if fp16:
                            m.convert_float_to_float16(keep_io_types=True)
                        m.save_model_to_file(b)
                    return in_files(model, run), feeds
                return inner
            yield tag + "_opt", optimised()
            yield tag + "_opt16", optimised(True)
        yield name + "_dynamic", lambda m=model, a=args: (
            quantise(name, (m, a), "dynamic")())
        yield name + "_nbits", lambda m=model, a=args: (
            quantise(name, (m, a), "nbits")())
