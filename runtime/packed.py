"""Matrices in integers, as operators of ONNX Runtime read them."""

from __future__ import annotations

import array
from typing import NamedTuple

# The largest integer of a weight. Of 127 possible ones half are left unused: processors without VNNI add two products of
# weights and 8-bit activations in 16 bits, which larger weights would overflow.
LARGEST = 63


class Rounded(NamedTuple):
    """A matrix [rows, columns] of signed integers times one scale per row, kept column by column for MatMulIntegerToFloat."""

    rows: int
    columns: int
    raw: bytes  # int8 [columns, rows]
    scales: bytes  # float32 [rows]

    @classmethod
    def of(cls, rows: int, columns: int, values: array.array) -> Rounded:
        """Rounds float32 numbers, given row by row, to the nearest."""
        raw, scales = bytearray(rows * columns), array.array("f")
        for index in range(rows):
            row = values[index * columns : (index + 1) * columns]
            scales.append(max(max(row), -min(row)) / LARGEST or 1.0)
            scale = scales[-1]  # as float32 keeps it
            raw[index::rows] = bytes(max(-LARGEST, min(LARGEST, round(value / scale))) & 255 for value in row)
        return cls(rows, columns, bytes(raw), scales.tobytes())

    def values(self, np):
        """The numbers that it stands for [rows, columns], for `verify`."""
        numbers = np.frombuffer(self.raw, dtype=np.int8).reshape(self.columns, self.rows).astype(np.float64)
        return (numbers * np.frombuffer(self.scales, dtype="<f4").astype(np.float64)).T


class Table(NamedTuple):
    """Rows that are looked up one by one, in 4 bits: blocks of signed integers times a scale, for GatherBlockQuantized."""

    rows: int
    columns: int
    block: int
    raw: bytes  # two numbers a byte, the first in the low half
    scales: bytes  # float32 [rows, columns / block]

    def values(self, np):
        """The numbers that it stands for [rows, columns], for `verify`."""
        halves = np.frombuffer(self.raw, dtype=np.uint8)
        numbers = np.stack([halves & 15, halves >> 4], axis=-1).astype(np.int8)
        numbers = np.where(numbers > 7, numbers - 16, numbers).reshape(-1, self.block).astype(np.float64)
        scales = np.frombuffer(self.scales, dtype="<f4").astype(np.float64)
        return (numbers * scales[:, None]).reshape(self.rows, self.columns)
