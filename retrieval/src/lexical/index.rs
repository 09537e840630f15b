//! One tenant's lexical index: a tantivy directory derived from Postgres.
//!
//! The commit payload is the watermark, the last revision the index has seen, so the two can never disagree. The
//! directory holds nothing of its own: deleted or damaged, it is replayed from revision 0.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use plumbline_store::LiveChunk;
use tantivy::collector::TopDocs;
use tantivy::columnar::Column;
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, Query, TermQuery, TermSetQuery,
};
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STRING, Schema, TantivyDocument, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocId, Index, IndexReader, ReloadPolicy, SegmentReader, Term};
use uuid::Uuid;

use super::analyze::{Analyzer, detect};
use super::question::{Question, Word};
use crate::{AnalysedTerm, AnalysedWord, Analysis};

/// Raised when the schema or the analysis changes: an index of another number is rebuilt.
const FORMAT: u32 = 4;

/// Memory that one catch-up may use for new segments.
const WRITER_BYTES: usize = 20 << 20;

/// tantivy's BM25 saturation: a term scores at most `idf * (K1 + 1)`.
const BM25_K1: f32 = 1.2;

/// Names of the fields of a chunk's id.
const CHUNK: [&str; 2] = ["chunk_upper", "chunk_lower"];

#[derive(Debug, Clone, Copy)]
struct Fields {
    /// Upper and lower half of the chunk's id, as columns: hundreds of ids are read per question, and a document store
    /// would decompress a block for each.
    chunk: [Field; 2],
    document: Field,
    language: Field,
    /// Body, headings, title and the questions that an admin says it answers, as one text.
    text: Field,
    /// The headings above it once more, alone.
    heading: Field,
    /// The title of its document once more, alone.
    title: Field,
}

/// What a match in a field of its own adds to a word's score in the whole text, as a factor of that field's BM25.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FieldBoosts {
    pub(crate) heading: f32,
    pub(crate) title: f32,
}

/// What the lexical leg found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LexicalMatches {
    /// Chunks with their BM25 score, best first.
    pub(crate) chunks: Vec<(Uuid, f32)>,
    /// The most that any chunk could score for this question.
    pub(crate) bound: f32,
    /// The words of the question that mean something.
    pub(crate) words: Vec<Word>,
    /// The language it is written in, among those of the documents.
    pub(crate) language: Option<String>,
}

impl LexicalMatches {
    /// How the question was read.
    pub(crate) fn analysis(&self) -> Analysis {
        let words = self.words.iter().map(|word| AnalysedWord {
            text: word.text.clone(),
            idf: word.idf,
            terms: word
                .terms
                .iter()
                .map(|(text, weight)| AnalysedTerm {
                    text: text.clone(),
                    weight: *weight,
                })
                .collect(),
        });
        Analysis {
            language: self.language.clone(),
            words: words.collect(),
        }
    }
}

/// A lexical index on disk.
pub(crate) struct LexicalIndex {
    directory: PathBuf,
    fields: Fields,
    open: RwLock<Open>,
    /// One catch-up at a time.
    writing: Mutex<()>,
}

struct Open {
    index: Index,
    reader: IndexReader,
    watermark: i64,
}

impl LexicalIndex {
    /// Opens the index in `directory`, or starts an empty one when there is none that can be read.
    pub(crate) fn open(directory: &Path) -> tantivy::Result<Self> {
        let (schema, fields) = schema();
        // tantivy panics on some damaged files (a footer cut short); that too means "build it again".
        let existing = std::panic::catch_unwind(|| open_existing(directory, &schema)).unwrap_or_else(|_| {
            Err(tantivy::TantivyError::InternalError(
                "damaged beyond reading".to_owned(),
            ))
        });
        let open = match existing {
            Ok(open) => open,
            Err(error) => {
                if directory.exists() {
                    tracing::warn!(%error, directory = %directory.display(), "lexical index starts anew");
                    std::fs::remove_dir_all(directory)?;
                }
                create(directory, schema)?
            }
        };
        Ok(Self {
            directory: directory.to_owned(),
            fields,
            open: RwLock::new(open),
            writing: Mutex::new(()),
        })
    }

    /// The last revision this index has seen.
    pub(crate) fn watermark(&self) -> i64 {
        self.open.read().unwrap_or_else(PoisonError::into_inner).watermark
    }

    /// Replaces what is indexed of `documents` (each with the chunks of its live version, or none) and moves the
    /// watermark to `revision`. Repeating it changes nothing.
    pub(crate) fn replace(&self, documents: &[(Uuid, Vec<LiveChunk>)], revision: i64) -> tantivy::Result<()> {
        let _only = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let index = self
            .open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .index
            .clone();
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, WRITER_BYTES)?;
        for (document, chunks) in documents {
            writer.delete_term(Term::from_field_text(self.fields.document, &document.to_string()));
            for chunk in chunks {
                writer.add_document(self.fields.document_of(chunk))?;
            }
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&revision.to_string());
        commit.commit()?;
        writer.wait_merging_threads()?;
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.reader.reload()?;
        open.watermark = revision;
        Ok(())
    }

    /// Throws the index away and starts an empty one at watermark 0.
    pub(crate) fn reset(&self) -> tantivy::Result<()> {
        let _only = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if self.directory.exists() {
            std::fs::remove_dir_all(&self.directory)?;
        }
        *open = create(&self.directory, schema().0)?;
        Ok(())
    }

    /// The best `limit` chunks for a question, by BM25; with `kept`, of these documents alone. A chunk scores the same
    /// with and without it.
    pub(crate) fn search(
        &self,
        question: &str,
        limit: usize,
        boosts: FieldBoosts,
        kept: Option<&[Uuid]>,
    ) -> tantivy::Result<LexicalMatches> {
        let searcher = self
            .open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .reader
            .searcher();
        let languages = super::question::languages(&searcher, self.fields.language)?;
        let language = detect(question, &languages);
        let question = Question::read(
            &searcher,
            self.fields.text,
            question,
            language.as_deref(),
            &languages,
        )?;
        if question.words.is_empty() || searcher.num_docs() == 0 {
            return Ok(LexicalMatches {
                language,
                ..LexicalMatches::default()
            });
        }
        let bound = question.words.iter().map(|word| word.idf * (BM25_K1 + 1.0)).sum();
        let clauses = question
            .words
            .iter()
            .filter(|word| word.is_known())
            .map(|word| self.clause(word, boosts))
            .collect();
        let query = self.limited(BooleanQuery::new(clauses), kept);
        let mut chunks = Vec::new();
        let ids = searcher
            .segment_readers()
            .iter()
            .map(ChunkIds::open)
            .collect::<tantivy::Result<Vec<_>>>()?;
        for (score, address) in
            searcher.search(&query, &TopDocs::with_limit(limit.max(1)).order_by_score())?
        {
            if let Some(chunk) = ids[address.segment_ord as usize].of(address.doc_id) {
                chunks.push((chunk, score));
            }
        }
        // equal scores keep one order, whatever the segments
        chunks.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(LexicalMatches {
            chunks,
            bound,
            words: question.words,
            language,
        })
    }

    fn limited(&self, query: BooleanQuery, kept: Option<&[Uuid]>) -> BooleanQuery {
        let Some(kept) = kept else { return query };
        let terms = kept
            .iter()
            .map(|document| Term::from_field_text(self.fields.document, &document.to_string()));
        let among = ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 0.0);
        BooleanQuery::new(vec![
            (Occur::Must, Box::new(query)),
            (Occur::Must, Box::new(among)),
        ])
    }

    /// What a word scores: its best term in the whole text, and a share of what that is worth among the headings and in
    /// the title.
    fn clause(&self, word: &Word, boosts: FieldBoosts) -> (Occur, Box<dyn Query>) {
        let whole = best_term(self.fields.text, word, 1.0);
        let others = [
            (self.fields.heading, boosts.heading),
            (self.fields.title, boosts.title),
        ];
        let mut fields = vec![(Occur::Should, whole)];
        for (field, boost) in others.into_iter().filter(|(_, boost)| *boost > 0.0) {
            fields.push((Occur::Should, best_term(field, word, boost)));
        }
        match fields.len() {
            1 => fields.remove(0),
            _ => (Occur::Should, Box::new(BooleanQuery::new(fields))),
        }
    }
}

fn best_term(field: Field, word: &Word, boost: f32) -> Box<dyn Query> {
    let alternatives = word.terms.iter().map(|(text, weight)| {
        let term = Term::from_field_text(field, text);
        let query = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
        Box::new(BoostQuery::new(query, weight * boost)) as Box<dyn Query>
    });
    Box::new(DisjunctionMaxQuery::new(alternatives.collect()))
}

/// The ids of a segment's chunks.
struct ChunkIds([Column<u64>; 2]);

impl ChunkIds {
    fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(Self([columns.u64(CHUNK[0])?, columns.u64(CHUNK[1])?]))
    }

    fn of(&self, document: DocId) -> Option<Uuid> {
        let [upper, lower] = &self.0;
        Some(Uuid::from_u64_pair(
            upper.first(document)?,
            lower.first(document)?,
        ))
    }
}

impl Fields {
    fn document_of(&self, live: &LiveChunk) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        let language = live.language.as_deref().unwrap_or_default();
        let (upper, lower) = live.chunk.id.as_u64_pair();
        document.add_u64(self.chunk[0], upper);
        document.add_u64(self.chunk[1], lower);
        document.add_text(self.document, live.chunk.document_id.to_string());
        document.add_text(self.language, language);
        // Title and headings belong to what a chunk says: "Returns > Batteries" is context its sentences leave out.
        // So do the questions that an admin says it answers.
        let headings = live.chunk.heading_path.join("\n");
        let questions = live.chunk.questions.join("\n");
        let whole = [&live.title, &headings, &live.chunk.body, &questions].map(String::as_str);
        let mut analyzer = Analyzer::new(Some(language), false);
        let mut add = |field, text: &str| {
            document.add_pre_tokenized_text(field, tokenized(analyzer.terms(text)));
        };
        add(self.text, &whole.join("\n"));
        add(self.heading, &headings);
        add(self.title, &live.title);
        document
    }
}

fn tokenized(terms: Vec<String>) -> PreTokenizedString {
    let tokens = terms.into_iter().enumerate().map(|(position, text)| Token {
        position,
        text,
        position_length: 1,
        ..Token::default()
    });
    PreTokenizedString {
        text: String::new(),
        tokens: tokens.collect(),
    }
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let terms = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::WithFreqs);
    let text = TextOptions::default().set_indexing_options(terms);
    let fields = Fields {
        chunk: CHUNK.map(|name| builder.add_u64_field(name, FAST)),
        document: builder.add_text_field("document", STRING),
        language: builder.add_text_field("language", STRING),
        text: builder.add_text_field("text", text.clone()),
        heading: builder.add_text_field("heading", text.clone()),
        title: builder.add_text_field("title", text),
    };
    (builder.build(), fields)
}

fn format_file(directory: &Path) -> PathBuf {
    directory.join("plumbline-format")
}

fn open_existing(directory: &Path, schema: &Schema) -> tantivy::Result<Open> {
    let format = std::fs::read_to_string(format_file(directory))?;
    if format.trim() != FORMAT.to_string() {
        return Err(tantivy::TantivyError::SchemaError(format!(
            "format {} is not {FORMAT}",
            format.trim()
        )));
    }
    let index = Index::open_in_dir(directory)?;
    if &index.schema() != schema {
        return Err(tantivy::TantivyError::SchemaError("another schema".to_owned()));
    }
    let damaged = index.validate_checksum()?;
    if !damaged.is_empty() {
        return Err(tantivy::TantivyError::SchemaError(format!(
            "damaged files: {damaged:?}"
        )));
    }
    opened(index)
}

fn create(directory: &Path, schema: Schema) -> tantivy::Result<Open> {
    std::fs::create_dir_all(directory)?;
    let index = Index::create_in_dir(directory, schema)?;
    std::fs::write(format_file(directory), FORMAT.to_string())?;
    opened(index)
}

fn opened(index: Index) -> tantivy::Result<Open> {
    let watermark = index
        .load_metas()?
        .payload
        .and_then(|payload| payload.parse().ok())
        .unwrap_or(0);
    let reader = index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .try_into()?;
    Ok(Open {
        index,
        reader,
        watermark,
    })
}
