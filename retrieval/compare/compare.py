#!/usr/bin/env python3
"""Compares Plumbline's search with LlamaIndex, Haystack, Chroma and SQL hybrids on a question set in BEIR's format.

    compare.py SET… --bin target/debug [--systems plumbline,haystack] [--out results.json]

Every system gets the same passages as text (title, empty line, passage) and the same model: all-MiniLM-L6-v2 in ONNX.
Nothing is downloaded and nothing is reported to anybody. A question's vector is computed once, and the time that took
is counted for every system that asks for it. `--set name=value` changes a setting of Plumbline.
"""

import argparse
import hashlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Before any import of the libraries compared: none of them may call home or fetch a model.
os.environ |= {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False", "ANONYMIZED_TELEMETRY": "False",
    "TOKENIZERS_PARALLELISM": "false",
}
K = 10
RRF_K = 60


def fail(message):
    """Ends the program with one line that says what to do."""
    sys.exit(f"compare.py: {message}")


try:
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer
except ImportError as error:
    fail(f"{error.name} is missing: pip install -r {Path(__file__).with_name('requirements.txt')}")


class QuestionSet:
    """A folder with corpus.jsonl, queries.jsonl and qrels.tsv."""

    def __init__(self, folder, most=0):
        self.name = folder.name
        if not (folder / "corpus.jsonl").exists():
            fail(f"{folder} has no corpus.jsonl; sets.py writes sets")
        rows = [json.loads(line) for line in open(folder / "corpus.jsonl", encoding="utf-8")]
        self.texts = {row["_id"]: f"{row['title']}\n\n{row['text']}" if row["title"] else row["text"] for row in rows}
        self.ids = list(self.texts)
        self.relevant = {}
        for line in open(folder / "qrels.tsv", encoding="utf-8").read().splitlines()[1:]:
            query, passage, grade = line.split("\t")
            if int(grade) > 0:
                self.relevant.setdefault(query, set()).add(passage)
        rows = [json.loads(line) for line in open(folder / "queries.jsonl", encoding="utf-8")]
        self.queries = {row["_id"]: row["text"] for row in rows if row["_id"] in self.relevant}
        if most:  # spread over the whole set, the same ones every time
            drawn = sorted(self.queries, key=lambda query: hashlib.sha256(query.encode()).digest())[:most]
            self.queries = {query: self.queries[query] for query in sorted(drawn)}


class Embedder:
    """The model of all systems: mean of the token states, normalised; vectors of passages are kept on disk."""

    def __init__(self, folder, cache):
        if not (folder / "model.onnx").exists():
            fail(f"no model in {folder}: make runtime, or name its folder with --model")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.inputs = {node.name for node in self.session.get_inputs()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(256)
        self.tokenizer.enable_padding()
        self.cache, self.known = cache, {}
        self.asked, self.spent = {}, 0.0
        if cache.exists():
            with np.load(cache) as stored:
                self.known = dict(zip(stored["keys"].tolist(), stored["vectors"]))

    def compute(self, texts):
        encoded = self.tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self.session.run(None, {name: feed[name] for name in self.inputs})[0]
        mean = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)

    def query(self, text):
        """The vector of a question; `spent` grows by what computing it took, now or the first time."""
        if text not in self.asked:
            began = time.monotonic()
            vector = self.compute([text])[0]
            self.asked[text] = (vector, time.monotonic() - began)
        else:
            self.spent += self.asked[text][1]
        return self.asked[text][0]

    def passages(self, texts):
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        missing = sorted({(len(text), key, text) for key, text in zip(keys, texts) if key not in self.known})
        for start in range(0, len(missing), 32):
            batch = missing[start : start + 32]
            for (_, key, _), vector in zip(batch, self.compute([text for _, _, text in batch])):
                self.known[key] = vector
        if missing:
            self.cache.parent.mkdir(parents=True, exist_ok=True)
            with open(self.cache, "wb") as file:
                np.savez(file, keys=np.array(list(self.known)), vectors=np.array(list(self.known.values())))
        return np.array([self.known[key] for key in keys])


def rrf(*rankings):
    """Reciprocal rank fusion as everybody writes it."""
    scores = {}
    for ranking in rankings:
        for rank, one in enumerate(ranking, 1):
            scores[one] = scores.get(one, 0.0) + 1.0 / (RRF_K + rank)
    return sorted(scores, key=lambda one: -scores[one])[:K]


# --- The systems: each yields (name, function from a question to ids, best first) -------------------------------------


def floors(data, embedder, _args):
    """What any hybrid should beat: each leg alone."""
    bm25 = bm25s_leg(data)
    vectors = embedder.passages(list(data.texts.values()))

    def dense(question, depth=K):
        return [data.ids[at] for at in np.argsort(-(vectors @ embedder.query(question)), kind="stable")[:depth]]

    yield "BM25 alone (bm25s, stemmed)", bm25
    yield "dense alone (exact)", dense


def bm25s_leg(data):
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(data.texts.values()), stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)

    def search(question, depth=K):
        tokens = bm25s.tokenize(question, stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False)
        found, scores = index.retrieve(tokens, k=min(depth, len(data.ids)), show_progress=False)
        return [data.ids[at] for at, score in zip(found[0], scores[0]) if score > 0]

    return search


def llamaindex(data, embedder, args):
    """BM25Retriever and a VectorStoreIndex under a QueryFusionRetriever."""
    from llama_index.core import Settings, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import TextNode
    from llama_index.retrievers.bm25 import BM25Retriever

    class MiniLm(BaseEmbedding):
        """The common model as LlamaIndex wants it."""

        def _get_query_embedding(self, query):
            return embedder.query(query).tolist()

        async def _aget_query_embedding(self, query):
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text):
            return embedder.passages([text])[0].tolist()

        def _get_text_embeddings(self, texts):
            return embedder.passages(texts).tolist()

    Settings.llm = MockLLM()
    nodes = [TextNode(id_=one, text=text) for one, text in data.texts.items()]
    index = VectorStoreIndex(nodes, embed_model=MiniLm())
    for mode, depth in [("reciprocal_rerank", depth) for depth in args.depths] + [("relative_score", K)]:
        legs = [
            index.as_retriever(similarity_top_k=depth),
            BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=min(depth, len(nodes))),
        ]
        fusion = QueryFusionRetriever(legs, mode=mode, num_queries=1, similarity_top_k=K, use_async=False)
        yield f"LlamaIndex {mode}, {depth} per leg", lambda question, fusion=fusion: [
            hit.node.node_id for hit in fusion.retrieve(question)
        ]


def haystack(data, embedder, args):
    """InMemoryBM25Retriever and InMemoryEmbeddingRetriever joined by a DocumentJoiner, in a pipeline."""
    from haystack import Document, Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    vectors = embedder.passages(list(data.texts.values()))
    store.write_documents(
        [Document(id=one, content=text, embedding=vector.tolist()) for (one, text), vector in zip(data.texts.items(), vectors)]
    )
    modes = [("reciprocal_rank_fusion", depth) for depth in args.depths]
    for mode, depth in modes + [("merge", K), ("distribution_based_rank_fusion", K)]:
        pipeline = Pipeline()
        pipeline.add_component("bm25", InMemoryBM25Retriever(store, top_k=depth))
        pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=depth))
        pipeline.add_component("join", DocumentJoiner(join_mode=mode, top_k=K))
        pipeline.connect("bm25", "join")
        pipeline.connect("dense", "join")

        def search(question, pipeline=pipeline):
            run = pipeline.run({"bm25": {"query": question}, "dense": {"query_embedding": embedder.query(question).tolist()}})
            return [document.id for document in run["join"]["documents"]]

        yield f"Haystack {mode}, {depth} per leg", search


def chroma(data, embedder, args):
    """A collection, as its users ask it; Chroma has no local BM25, so that the hybrid is rank_bm25 beside it, by RRF."""
    import chromadb
    from rank_bm25 import BM25Okapi

    client = chromadb.EphemeralClient(chromadb.config.Settings(anonymized_telemetry=False))
    collection = client.create_collection(f"set-{data.name}", embedding_function=None)
    vectors = embedder.passages(list(data.texts.values()))
    for start in range(0, len(data.ids), 1000):
        part = slice(start, start + 1000)
        collection.add(data.ids[part], embeddings=vectors[part], documents=list(data.texts.values())[part])
    okapi = BM25Okapi([text.lower().split() for text in data.texts.values()])

    def dense(question, depth=K):
        return collection.query(query_embeddings=[embedder.query(question)], n_results=depth)["ids"][0]

    yield "Chroma", dense
    for depth in args.depths:

        def hybrid(question, depth=depth):
            scores = okapi.get_scores(question.lower().split())
            words = [data.ids[at] for at in np.argsort(-scores, kind="stable")[:depth] if scores[at] > 0]
            return rrf(words, dense(question, depth))

        yield f"Chroma + rank_bm25, RRF, {depth} per leg", hybrid


def sql(data, embedder, args):
    """PostgreSQL's full text and pgvector in one statement, by RRF: with all words, as in pgvector's example, or any."""
    import psycopg

    database = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    database.execute("CREATE EXTENSION IF NOT EXISTS vector")
    database.execute("DROP TABLE IF EXISTS passages")
    database.execute(
        """CREATE TABLE passages (id text PRIMARY KEY, body text NOT NULL, embedding vector(384) NOT NULL,
           words tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED)"""
    )
    vectors = embedder.passages(list(data.texts.values()))
    with database.cursor().copy("COPY passages (id, body, embedding) FROM STDIN") as copy:
        for one, text, vector in zip(data.ids, data.texts.values(), vectors):
            copy.write_row((one, text.replace("\0", ""), str(vector.tolist())))
    database.execute("CREATE INDEX ON passages USING gin (words)")
    database.execute("CREATE INDEX ON passages USING hnsw (embedding vector_cosine_ops)")
    database.execute("ANALYZE passages")
    statement = """
        WITH asked AS (SELECT {query} AS words),
        dense AS (SELECT id, row_number() OVER (ORDER BY embedding <=> %(vector)s::vector) AS rank
            FROM passages ORDER BY embedding <=> %(vector)s::vector LIMIT %(depth)s),
        lexical AS (SELECT id, row_number() OVER (ORDER BY ts_rank_cd(p.words, a.words) DESC, id) AS rank
            FROM passages p, asked a WHERE p.words @@ a.words ORDER BY ts_rank_cd(p.words, a.words) DESC, id LIMIT %(depth)s)
        SELECT id FROM dense FULL JOIN lexical USING (id)
        ORDER BY coalesce(1.0 / (60 + dense.rank), 0) + coalesce(1.0 / (60 + lexical.rank), 0) DESC, id LIMIT 10"""
    queries = {
        "all words": "plainto_tsquery('english', %(text)s)",
        "any word": "replace(plainto_tsquery('english', %(text)s)::text, '&', '|')::tsquery",
    }
    for kind, query in queries.items():
        for depth in args.depths:

            def search(question, text=statement.format(query=query), depth=depth):
                vector = str(embedder.query(question).tolist())
                rows = database.execute(text, {"text": question, "vector": vector, "depth": depth})
                return [row[0] for row in rows]

            yield f"SQL ts_rank_cd ({kind}) + pgvector, RRF, {depth} per leg", search


def plumbline(data, _embedder, args):
    """Plumbline through its own surface: files are ingested, a server answers POST /v1/search."""
    server = Server(data, args)
    try:
        yield args.label, server.search
    finally:
        server.stop()


class Server:
    """A running `plumbline serve` over a set's passages, each a .txt file whose name is its id."""

    def __init__(self, data, args):
        self.program = args.bin / "plumbline"
        if not os.access(self.program, os.X_OK):
            fail(f"{self.program} is no program: cargo build --workspace, or name its folder with --bin")
        self.k = args.k
        home = args.work.resolve() / data.name
        files = home / "passages"
        files.mkdir(parents=True, exist_ok=True)
        for one, text in data.texts.items():
            (files / f"{one}.txt").write_text(text, encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        # DATABASE_URL is that of the SQL hybrid: Plumbline starts its own
        self.env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.env |= {"PLUMBLINE_DATA": str(home / "data"), "PLUMBLINE_LISTEN": self.address, "PLUMBLINE_LOG": "error"}
        key = home / "key"
        began = time.monotonic()
        self.run("ingest", str(files))
        if not key.exists():
            key.write_text(self.run("access", "create-key").strip())
        self.key = key.read_text()
        self.settings = [one for one in args.set if one]
        self.before = self.run("settings", "show") if self.settings else None
        for change in self.settings:
            self.run("settings", "set", change)
        self.process = subprocess.Popen([self.program, "serve"], env=self.env, stdout=subprocess.DEVNULL)
        self.wait()
        print(f"plumbline: {data.name} is up after {time.monotonic() - began:.1f} s", file=sys.stderr)

    def run(self, *command):
        result = subprocess.run([self.program, *command], env=self.env, capture_output=True, text=True)
        if result.returncode:
            fail(f"plumbline {' '.join(command)} failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
        return result.stdout

    def wait(self):
        for _ in range(600):
            if self.process.poll() is not None:
                fail("plumbline serve ended by itself")
            try:
                self.search("anything")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        fail("plumbline serve does not answer")

    def search(self, question):
        body = json.dumps({"query": question, "k": self.k}).encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        request = urllib.request.Request(f"http://{self.address}/v1/search", body, headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            hits = json.load(reply)["hits"]
        # a passage may have become several chunks; its first one counts
        return list(dict.fromkeys(hit["document_key"].removesuffix(".txt") for hit in hits))[:K]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


SYSTEMS = {"plumbline": plumbline, "llamaindex": llamaindex, "haystack": haystack, "chroma": chroma, "sql": sql, "floors": floors}


# --- Figures ------------------------------------------------------------------------------------------------------------


def figures(found, relevant):
    """recall@1, @5, @10 (any passage of the answer), MRR@10 and nDCG@10 of one question."""
    places = [rank for rank, one in enumerate(found[:K], 1) if one in relevant]
    first = places[0] if places else math.inf
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(relevant), K) + 1))
    gain = sum(1 / math.log2(rank + 1) for rank in places)
    return [float(first <= 1), float(first <= 5), float(first <= 10), 1 / first, gain / ideal]


def measure(search, data, embedder, parallel=1):
    """Asks every question; returns what was found and the milliseconds per question."""
    search("models and caches are warm, as in a running program")
    embedder.spent, began = 0.0, time.monotonic()
    with ThreadPoolExecutor(parallel) as pool:
        found = dict(zip(data.queries, pool.map(search, data.queries.values())))
    return found, 1000 * (time.monotonic() - began + embedder.spent) / len(data.queries)


def interval(difference):
    """95 % of the means of resampled questions, drawn with a fixed seed."""
    draws = np.random.default_rng(7).integers(0, len(difference), (2000, len(difference)))
    return np.percentile(difference[draws].mean(axis=1), [2.5, 97.5])


def table(data, results):
    """A Markdown table; the last two columns are what the first system is ahead by, with the 95 % interval."""
    rows, reference = [], None
    print(f"\n{data.name}: {len(data.queries)} questions, {len(data.ids)} passages\n")
    print("| system | recall@1 | recall@5 | recall@10 | MRR@10 | nDCG@10 | ms | recall@5 of the first is ahead by | nDCG@10 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, found, ms in results:
        each = np.array([figures(found[query], data.relevant[query]) for query in data.queries])
        reference = each if reference is None else reference
        ahead = []
        for column in (1, 4):
            difference = reference[:, column] - each[:, column]
            low, high = interval(difference)
            ahead.append("" if reference is each else f"{difference.mean():+.3f} ({low:+.3f} to {high:+.3f})")
        mean = " | ".join(f"{value:.3f}" for value in each.mean(axis=0))
        print(f"| {name} | {mean} | {ms:.1f} | {ahead[0]} | {ahead[1]} |", flush=True)
        rows.append({"system": name, "ms": ms, "mean": each.mean(axis=0).tolist(), "found": found})
    return rows


def brief(data, results):
    """A line per system, to compare one build with the last."""
    for name, found, ms in results:
        mean = np.mean([figures(found[query], data.relevant[query]) for query in data.queries], axis=0)
        figured = "  ".join(f"{what} {value:.3f}" for what, value in zip(("r@1", "r@5", "r@10", "mrr@10", "ndcg@10"), mean))
        print(f"{data.name:12} {name:12} {figured}  {ms:.0f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, help="folders that sets.py wrote, or any in BEIR's format")
    parser.add_argument("--bin", type=Path, default=Path("target/debug"), help="folder with Plumbline's programs")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help=f"of {', '.join(SYSTEMS)}; the first is compared with the others")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of Plumbline, for good in its data directory")
    parser.add_argument("--label", default="Plumbline", help="its name in the table")
    parser.add_argument("-k", type=int, default=K, help="passages that Plumbline is asked for (default: 10)")
    parser.add_argument(
        "--depths", type=lambda text: [int(depth) for depth in text.split(",")], default=[10, 50],
        help="candidates that a hybrid takes from each leg (default: 10, as who wants ten results writes, and 50, Plumbline's own)",
    )
    parser.add_argument("--most", type=int, default=0, metavar="N", help="ask N questions of each set, always the same (default: all)")
    parser.add_argument("--parallel", type=int, default=1, help="questions to Plumbline at a time (default: 1, which ms means)")
    parser.add_argument("--brief", action="store_true", help="one line per set and system instead of tables")
    parser.add_argument("--model", type=Path, default=Path("runtime/.local/models/all-MiniLM-L6-v2"))
    parser.add_argument("--work", type=Path, default=Path("target/compare"), help="data directories and vectors; kept for the next run")
    parser.add_argument("--out", type=Path, help="also write figures and rankings as JSON")
    args = parser.parse_args()
    chosen = args.systems.split(",")
    for name in chosen:
        if name not in SYSTEMS:
            fail(f"no system {name}; there are {', '.join(SYSTEMS)}")
    if "sql" in chosen and "DATABASE_URL" not in os.environ:
        program = args.bin / "plumbline"
        os.execv(program, [program, "with-postgres", "--", sys.executable, *sys.argv])
    embedder = Embedder(args.model, args.work / "vectors.npz")
    report = {}
    for folder in args.sets:
        data, results = QuestionSet(folder, args.most), []
        if chosen != ["plumbline"]:
            embedder.passages(list(data.texts.values()))
        for name in chosen:
            for label, search in SYSTEMS[name](data, embedder, args):
                found, ms = measure(search, data, embedder, args.parallel if name == "plumbline" else 1)
                results.append((label, found, ms))
                print(f"{data.name}: {label} asked", file=sys.stderr)
        report[data.name] = (brief if args.brief else table)(data, results)
        if args.out:
            args.out.write_text(json.dumps(report))


if __name__ == "__main__":
    main()
