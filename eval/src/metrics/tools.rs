//! Did the reply call the tools it had to, and no other? (definition row 5)
//!
//! A support action is all or nothing: an order cancelled with the wrong number is not three quarters of a success. A case
//! passes when every expected call was made with its name, with arguments that the tool's schema accepts and the required
//! ones equal in normal form, in the given order where the case says `ordered`, executed without an error; when no forbidden
//! tool was called; and when no other call was made that has a side effect.
//!
//! The calls are read from the reply's structured field `tools`. A case that expects or forbids no call does not count, unless
//! a call with a side effect was made for it all the same.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Measured;
use super::grade::Graded;
use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::normal::normal;
use crate::stats::real;

/// One call that a reply made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Name of the tool.
    pub name: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Value,
    /// What went wrong, if anything.
    #[serde(default)]
    pub error: Option<String>,
}

/// One call that a good reply makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedCall {
    /// Name of the tool.
    pub name: String,
    /// Arguments that have to be equal; the call may have others, as far as the tool's schema allows.
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
}

/// A tool that exists: a line of `tools.jsonl` of the golden directory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Whether calling it changes anything.
    #[serde(default = "changes_something")]
    pub side_effect: bool,
    /// JSON Schema of the arguments.
    #[serde(default)]
    pub parameters: Option<Value>,
}

/// A tool is taken to change something until somebody says that it does not.
fn changes_something() -> bool {
    true
}

/// The tools that exist, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tools {
    by_name: BTreeMap<String, Tool>,
}

impl Tools {
    /// Reads `tools.jsonl`; a set without one knows no schema and takes every tool to change something.
    pub fn read(golden: &Path) -> Result<Self, EvalError> {
        let path = golden.join("tools.jsonl");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(EvalError::unreadable(&path, &error)),
        };
        Self::parse(&text).map_err(|message| EvalError::Usage(format!("{}{message}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut by_name = BTreeMap::new();
        for (i, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !crate::golden::load::skipped(line))
        {
            let tool: Tool = serde_json::from_str(line).map_err(|error| format!(":{}: {error}", i + 1))?;
            if let Some(schema) = &tool.parameters {
                against(schema, None).map_err(|error| format!(":{}: {}: {error}", i + 1, tool.name))?;
            }
            by_name.insert(tool.name.clone(), tool);
        }
        Ok(Self { by_name })
    }

    fn changes(&self, name: &str) -> bool {
        self.by_name.get(name).is_none_or(|tool| tool.side_effect)
    }

    /// Why the arguments are none that the tool takes.
    fn refuses(&self, call: &ToolCall) -> Option<String> {
        let schema = self.by_name.get(&call.name)?.parameters.as_ref()?;
        let error = against(schema, Some(&call.arguments)).err()?;
        Some(format!("{}: {error}", call.name))
    }
}

/// Compiles a JSON Schema and, given a value, checks it.
fn against(schema: &Value, value: Option<&Value>) -> Result<(), String> {
    /// What the schema is called while it is compiled; nothing is fetched from there.
    const PLACE: &str = "tool.json";
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let refused = |error: boon::CompileError| one_line(format!("{error:#}"));
    compiler.add_resource(PLACE, schema.clone()).map_err(refused)?;
    let index = compiler.compile(PLACE, &mut schemas).map_err(refused)?;
    match value {
        None => Ok(()),
        Some(value) => schemas
            .validate(value, index)
            .map_err(|error| one_line(error.to_string())),
    }
}

/// What a case demands of the calls.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// Calls that have to be made.
    pub expected: &'a [ExpectedCall],
    /// Whether in this order.
    pub ordered: bool,
    /// Tools that must not be called.
    pub forbidden: &'a [String],
}

/// What is wrong with the calls made for a case; `None` when nothing is.
pub fn of(case: &Case, calls: &[ToolCall], tools: &Tools) -> Option<String> {
    let demand = Demand {
        expected: &case.tools,
        ordered: case.ordered,
        forbidden: &case.forbidden_tools,
    };
    problem(demand, calls, tools)
}

/// What is wrong with the calls; `None` when nothing is.
pub fn problem(demand: Demand<'_>, calls: &[ToolCall], tools: &Tools) -> Option<String> {
    if let Some(call) = calls.iter().find(|call| demand.forbidden.contains(&call.name)) {
        return Some(format!("called {}, which is forbidden", call.name));
    }
    let used = match assign(demand, calls) {
        Ok(used) => used,
        Err(missing) => return Some(missing),
    };
    for &index in &used {
        let call = &calls[index];
        if let Some(error) = &call.error {
            return Some(format!("{} failed: {error}", call.name));
        }
        if let Some(refused) = tools.refuses(call) {
            return Some(refused);
        }
    }
    let extra = calls
        .iter()
        .enumerate()
        .find(|(index, call)| !used.contains(index) && tools.changes(&call.name));
    extra.map(|(_, call)| format!("called {} beside what was asked for", call.name))
}

/// A call for every expected one, each used once. With many demands and many calls alike a greedy choice could fail where
/// another would do, so choices are taken back (augmenting paths, H. W. Kuhn, 1955).
fn assign(demand: Demand<'_>, calls: &[ToolCall]) -> Result<Vec<usize>, String> {
    if demand.ordered {
        let mut from = 0;
        let mut used = Vec::new();
        for expected in demand.expected {
            let found = calls[from..].iter().position(|call| matches(expected, call));
            let at = from + found.ok_or_else(|| lacks(expected, calls, " at its place in the order"))?;
            used.push(at);
            from = at + 1;
        }
        return Ok(used);
    }
    let mut taken: Vec<Option<usize>> = vec![None; calls.len()];
    for wanted in 0..demand.expected.len() {
        let mut tried = vec![false; calls.len()];
        if !place(wanted, demand.expected, calls, &mut taken, &mut tried) {
            return Err(lacks(&demand.expected[wanted], calls, ""));
        }
    }
    Ok((0..calls.len()).filter(|&index| taken[index].is_some()).collect())
}

fn place(
    wanted: usize,
    expected: &[ExpectedCall],
    calls: &[ToolCall],
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for index in 0..calls.len() {
        if tried[index] || !matches(&expected[wanted], &calls[index]) {
            continue;
        }
        tried[index] = true;
        let free = match taken[index] {
            None => true,
            Some(other) => place(other, expected, calls, taken, tried),
        };
        if free {
            taken[index] = Some(wanted);
            return true;
        }
    }
    false
}

fn lacks(expected: &ExpectedCall, calls: &[ToolCall], place: &str) -> String {
    let made: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
    let arguments = serde_json::to_string(&expected.arguments).unwrap_or_default();
    format!(
        "lacks the call {}{arguments}{place}; made: [{}]",
        expected.name,
        made.join(", ")
    )
}

fn matches(expected: &ExpectedCall, call: &ToolCall) -> bool {
    let same =
        |(name, value): (&String, &Value)| call.arguments.get(name).is_some_and(|given| equal(value, given));
    expected.name == call.name && expected.arguments.iter().all(same)
}

/// Equal in normal form: strings without case, accents of typing and spare space; numbers by value, also when one is written
/// as a string.
fn equal(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, value)| b.get(name).is_some_and(|other| equal(value, other)))
        }
        (Value::Number(_), _) | (_, Value::Number(_)) => match (number(a), number(b)) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
            _ => false,
        },
        (Value::String(a), Value::String(b)) => normal(a).trim() == normal(b).trim(),
        _ => a == b,
    }
}

/// Whether the calls of a case are right; `None` for a case that is not about calls.
pub fn called_right(graded: &Graded) -> Option<bool> {
    let about = !graded.case.tools.is_empty() || !graded.case.forbidden_tools.is_empty();
    let stray = graded.tools.is_some();
    (about || stray).then(|| !graded.observed.is_error() && graded.tools.is_none())
}

/// Share of the cases about calls in which all calls are right.
pub fn tool_success(graded: &[&Graded]) -> Measured {
    let judged: Vec<(bool, bool)> = graded
        .iter()
        .filter_map(|g| Some((called_right(g)?, g.observed.is_error())))
        .collect();
    let k = judged.iter().filter(|(right, _)| *right).count();
    let errors = judged.iter().filter(|(_, error)| *error).count();
    Measured::success(real(k), judged.len(), errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TOOLS: &str = r#"{"name":"order_status","side_effect":false,"parameters":{"type":"object","required":["order"],"properties":{"order":{"type":"string","pattern":"^[A-Z0-9-]+$"}}}}
{"name":"cancel_order","parameters":{"type":"object","required":["order"],"additionalProperties":false,"properties":{"order":{"type":"string"}}}}
{"name":"search","side_effect":false}"#;

    fn call(name: &str, arguments: Value) -> ToolCall {
        ToolCall {
            name: name.into(),
            arguments,
            error: None,
        }
    }

    fn wants(name: &str, arguments: &Value) -> ExpectedCall {
        serde_json::from_value(json!({"name": name, "arguments": arguments})).unwrap()
    }

    fn check(expected: &[ExpectedCall], ordered: bool, calls: &[ToolCall]) -> Option<String> {
        let forbidden = ["delete_account".to_owned()];
        let demand = Demand {
            expected,
            ordered,
            forbidden: &forbidden,
        };
        problem(demand, calls, &Tools::parse(TOOLS).unwrap())
    }

    #[test]
    fn all_or_nothing() {
        let expected = [
            wants("order_status", &json!({"order": "A-17"})),
            wants("cancel_order", &json!({"order": "A-17"})),
        ];
        let (status, cancel) = (
            call("order_status", json!({"order": "A-17"})),
            call("cancel_order", json!({"order": "a-17 "})),
        );
        assert_eq!(check(&expected, false, &[cancel.clone(), status.clone()]), None);
        assert_eq!(check(&expected, true, &[status.clone(), cancel.clone()]), None);
        let told = |ordered, calls: &[ToolCall]| check(&expected, ordered, calls).unwrap();
        assert!(told(true, &[cancel.clone(), status.clone()]).contains("at its place in the order"));
        assert!(told(false, std::slice::from_ref(&status)).contains("lacks the call cancel_order"));
        let wrong = call("cancel_order", json!({"order": "A-71"}));
        assert!(told(false, &[status.clone(), wrong]).contains("lacks the call cancel_order"));
        let failed = ToolCall {
            error: Some("not found".into()),
            ..cancel.clone()
        };
        assert!(told(false, &[status.clone(), failed]).contains("cancel_order failed: not found"));
        let stray = call("cancel_order", json!({"order": "B-1"}));
        assert!(told(false, &[status.clone(), cancel.clone(), stray]).contains("beside what was asked for"));
        let harmless = call("search", json!({"query": "x"}));
        assert_eq!(check(&expected, false, &[harmless, status, cancel]), None);
    }

    #[test]
    fn schema_and_forbidden_tools() {
        let expected = [wants("cancel_order", &json!({"order": "A-17"}))];
        let more = call("cancel_order", json!({"order": "A-17", "refund": true}));
        assert!(check(&expected, false, &[more]).unwrap().contains("refund"));
        let right = call("cancel_order", json!({"order": "A-17"}));
        let deleted = call("delete_account", json!({}));
        assert!(
            check(&expected, false, &[right, deleted])
                .unwrap()
                .contains("forbidden")
        );
        assert!(Tools::parse(r#"{"name":"x","parameters":{"type":"no such type"}}"#).is_err());
    }

    #[test]
    fn arguments_are_compared_in_normal_form() {
        assert!(equal(&json!("Accra Central"), &json!("  accra   central ")));
        assert!(equal(&json!(12), &json!("12.0")) && !equal(&json!(12), &json!("twelve")));
        assert!(equal(&json!({"a": [1, "X"]}), &json!({"a": [1.0, "x"]})));
        assert!(!equal(&json!([1, 2]), &json!([1])) && !equal(&json!(true), &json!("true")));
    }

    /// One call fits both demands, the other only one: the first choice has to be taken back.
    #[test]
    fn a_choice_is_taken_back() {
        let expected = [
            wants("search", &json!({})),
            wants("search", &json!({"query": "x"})),
        ];
        let calls = [
            call("search", json!({"query": "x"})),
            call("search", json!({"query": "y"})),
        ];
        assert_eq!(check(&expected, false, &calls), None);
    }
}
