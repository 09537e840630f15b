//! What kind of table a CSV file is, because that decides how its rows are cut.

use std::collections::HashMap;

use crate::block::{BlockKind, Extraction, Format};
use crate::catalogue::Code;

/// Rows that are looked at.
const SAMPLE: usize = 200;
/// Fewest rows whose content, not column names, makes them questions and answers.
const MIN_ROWS: usize = 3;
/// Average length, in bytes, from which a column beside the questions holds answers.
const MIN_ANSWER: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each row is a question with its answer: one chunk each.
    QuestionsAndAnswers,
    /// Numbers, dates and codes without words: large groups of rows, of which only the first are
    /// embedded. The word index finds exact values in the whole group, and thousands of vectors
    /// of numbers do not crowd out the documents that say something.
    Numbers,
    Ordinary,
}

/// Column names of questions, in lower case, as whole words of a name.
const QUESTION: [&str; 38] = [
    "question",
    "questions",
    "q",
    "faq",
    "query",
    "asks",
    "asked",
    "asking",
    "enquiry",
    "inquiry",
    "pregunta",
    "preguntas",
    "consulta",
    "pergunta",
    "perguntas",
    "frage",
    "fragen",
    "domanda",
    "domande",
    "vraag",
    "vragen",
    "fråga",
    "spørgsmål",
    "spørsmål",
    "kysymys",
    "pytanie",
    "otázka",
    "kérdés",
    "întrebare",
    "soru",
    "вопрос",
    "питання",
    "ερώτηση",
    "soal",
    "pertanyaan",
    "swali",
    "السؤال",
    "سؤال",
];

const ANSWER: [&str; 40] = [
    "answer",
    "answers",
    "a",
    "reply",
    "replies",
    "response",
    "responses",
    "respuesta",
    "respuestas",
    "resposta",
    "respostas",
    "réponse",
    "réponses",
    "reponse",
    "reponses",
    "antwort",
    "antworten",
    "risposta",
    "risposte",
    "antwoord",
    "antwoorden",
    "svar",
    "vastaus",
    "odpowiedź",
    "odpowiedz",
    "odpověď",
    "válasz",
    "răspuns",
    "cevap",
    "yanıt",
    "ответ",
    "відповідь",
    "απάντηση",
    "jawaban",
    "jawab",
    "jibu",
    "الجواب",
    "الإجابة",
    "جواب",
    "إجابة",
];

/// The same in scripts that do not separate words.
const QUESTION_PARTS: [&str; 9] = [
    "问题",
    "問題",
    "问",
    "質問",
    "問い",
    "질문",
    "प्रश्न",
    "คำถาม",
    "câu hỏi",
];
const ANSWER_PARTS: [&str; 10] = [
    "答案",
    "回答",
    "答复",
    "回复",
    "答",
    "답변",
    "대답",
    "उत्तर",
    "คำตอบ",
    "trả lời",
];

pub(super) fn kind(extraction: &Extraction) -> Kind {
    if extraction.format != Format::Csv {
        return Kind::Ordinary;
    }
    let columns = columns(extraction);
    if by_name(&columns) || by_content(&columns) {
        Kind::QuestionsAndAnswers
    } else if extraction
        .warnings
        .iter()
        .any(|warning| warning.code == Code::NumericTable)
    {
        Kind::Numbers
    } else {
        Kind::Ordinary
    }
}

/// One column of the sample.
#[derive(Default)]
struct Column {
    name: String,
    cells: usize,
    questions: usize,
    bytes: usize,
}

/// The columns of the first rows, by the names the rows repeat.
fn columns(extraction: &Extraction) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    let rows = extraction
        .blocks
        .iter()
        .filter(|block| block.kind == BlockKind::TableRow);
    for row in rows.take(SAMPLE) {
        let cells = row.range.of(&extraction.text).split(" | ");
        for (name, value) in cells.filter_map(|cell| cell.split_once(": ")) {
            let column = *by_name.entry(name).or_insert_with(|| {
                columns.push(Column {
                    name: name.to_lowercase(),
                    ..Column::default()
                });
                columns.len() - 1
            });
            let column = &mut columns[column];
            column.cells += 1;
            column.bytes += value.len();
            column.questions += usize::from(
                value
                    .trim_end_matches(['"', '»', ' '])
                    .ends_with(['?', '？', '؟']),
            );
        }
    }
    // A name that hardly a row has was part of a cell with a colon in it.
    let most = columns.iter().map(|column| column.cells).max().unwrap_or(0);
    columns.retain(|column| column.cells * 2 >= most);
    columns
}

fn by_name(columns: &[Column]) -> bool {
    let position = |words: &[&str], parts: &[&str]| {
        columns.iter().position(|column| {
            let mut own = column.name.split(|c: char| !c.is_alphanumeric());
            own.any(|word| words.contains(&word)) || parts.iter().any(|part| column.name.contains(part))
        })
    };
    let question = position(&QUESTION, &QUESTION_PARTS);
    let answer = position(&ANSWER, &ANSWER_PARTS);
    matches!((question, answer), (Some(question), Some(answer)) if question != answer)
}

/// A column that mostly ends in a question mark beside one of longer text that does not.
fn by_content(columns: &[Column]) -> bool {
    let is_question =
        |column: &&Column| column.cells >= MIN_ROWS && column.questions * 10 >= column.cells * 6;
    let is_answer = |column: &Column| {
        column.cells >= MIN_ROWS
            && column.questions * 5 <= column.cells
            && column.bytes >= MIN_ANSWER * column.cells
    };
    columns.iter().any(|column| is_question(&column)) && columns.iter().any(is_answer)
}
