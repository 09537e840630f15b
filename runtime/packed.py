"""Matrices in blocks of integers, as ONNX Runtime's MatMulNBits and GatherBlockQuantized read them."""

from __future__ import annotations

import array
from typing import NamedTuple

BLOCK = 32  # weights of a row that share one scale, when we choose


class Packed(NamedTuple):
    """A matrix [rows, columns] in blocks of unsigned integers: a weight is (integer - 2**(bits-1)) * scale of its block."""

    rows: int
    columns: int
    bits: int
    block: int
    raw: bytes
    scales: bytes  # float32, one per block

    @classmethod
    def of(cls, shape, raw: bytes) -> Packed:
        """8 bits per weight of float32 numbers, rounded to the nearest; the largest of a block is 127 from the middle."""
        (rows, columns), values = shape, array.array("f", raw)
        numbers, scales = bytearray(), array.array("f")
        for start in range(0, rows * columns, BLOCK):
            block = values[start : start + BLOCK]
            scales.append(max(max(block), -min(block)) / 127 or 1.0)
            scale = scales[-1]  # as float32 keeps it
            numbers += bytes(128 + max(-128, min(127, round(value / scale))) for value in block)
        return cls(rows, columns, 8, BLOCK, bytes(numbers), scales.tobytes())

    def values(self, np):
        """The numbers that it stands for, for `verify`."""
        numbers = np.frombuffer(self.raw, dtype=np.uint8)
        if self.bits == 4:
            numbers = np.stack([numbers & 15, numbers >> 4], axis=-1)
        numbers = numbers.reshape(-1, self.block).astype(np.float64) - 2 ** (self.bits - 1)
        scales = np.frombuffer(self.scales, dtype="<f4").astype(np.float64)
        return (numbers * scales[:, None]).reshape(self.rows, self.columns)
