//! jsonl: one JSON object a line with a text field, or one JSON string a line.

use serde_json::{Map, Value};

use super::table::Table;
use super::{ReadError, ReadOptions, Record, column};

/// Objects that the choice of a field looks at.
const SAMPLE: usize = 1000;

pub(super) fn read(text: &str, name: &str, options: &ReadOptions) -> Result<Table, ReadError> {
    let lines = parse(text, name)?;
    let (field, why) = match &options.column {
        Some(wanted) => (wanted.clone(), "named by --column".to_owned()),
        None => choose(&lines, options.label_column.as_deref(), name)?,
    };
    let mut records = Vec::with_capacity(lines.len());
    for (line, value) in &lines {
        records.push(match value {
            Value::Object(fields) => {
                let object = Object { fields, line: *line, name, all: &lines };
                let label = options.label_column.as_deref().map(|label| object.label(label)).transpose()?;
                Record { text: object.text(&field)?, label: label.flatten() }
            }
            Value::String(s) if options.column.is_none() && options.label_column.is_none() => {
                Record { text: s.clone(), label: None }
            }
            other => {
                return Err(ReadError::Json {
                    name: name.to_owned(),
                    line: *line,
                    why: format!("found {}", kind(other)),
                    hint: None,
                });
            }
        });
    }
    Ok(Table {
        records,
        column: format!("{field:?}"),
        column_why: why,
        label: options.label_column.as_ref().map(|l| format!("{l:?}")),
        header: String::new(),
    })
}

fn parse(text: &str, name: &str) -> Result<Vec<(usize, Value)>, ReadError> {
    let hint = match text.trim_start() {
        t if t.starts_with('[') => Some("a JSON array turns into it with `jq -c '.[]'`"),
        t if t.lines().next().is_some_and(|l| l.trim_end() == "{") => {
            Some("objects over several lines turn into it with `jq -c .`")
        }
        _ => None,
    };
    text.lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty())
        .map(|(i, l)| {
            let error = |why: String| ReadError::Json { name: name.to_owned(), line: i + 1, why, hint };
            match serde_json::from_str(l) {
                Ok(value @ (Value::Object(_) | Value::String(_))) => Ok((i + 1, value)),
                Ok(other) => Err(error(format!("found {}", kind(&other)))),
                Err(e) => Err(error(format!("column {}: {e}", e.column()))),
            }
        })
        .collect()
}

/// The field with the most letters in its strings; equals in the order of their names.
fn choose(lines: &[(usize, Value)], label: Option<&str>, name: &str) -> Result<(String, String), ReadError> {
    let mut letters: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
    let objects = lines.iter().take(SAMPLE).filter_map(|(_, v)| v.as_object());
    for (key, value) in objects.flatten() {
        if let (Some(s), true) = (value.as_str(), Some(key.as_str()) != label) {
            *letters.entry(key).or_default() += column::letters(s);
        }
    }
    let best = letters.into_iter().fold(None, |best: Option<(&str, f64)>, c| match best {
        Some(b) if b.1 >= c.1 => best,
        _ => Some(c),
    });
    if let Some((field, _)) = best {
        return Ok((field.to_owned(), "it has the longest texts; --column to choose another".to_owned()));
    }
    let all_objects = lines.iter().all(|(_, v)| v.is_object());
    match lines.iter().find_map(|(_, v)| v.as_object()) {
        Some(object) if all_objects => Err(ReadError::NoTextField {
            name: name.to_owned(),
            fields: object.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        }),
        _ => Ok(("text".to_owned(), "the usual name".to_owned())),
    }
}

/// The object of a line.
struct Object<'a> {
    fields: &'a Map<String, Value>,
    line: usize,
    name: &'a str,
    all: &'a [(usize, Value)],
}

impl Object<'_> {
    fn text(&self, field: &str) -> Result<String, ReadError> {
        const FLAG: &str = "--column";
        match self.value(field, FLAG)? {
            Value::String(s) => Ok(s.clone()),
            other => Err(self.unfit(field, other, FLAG)),
        }
    }

    /// `null` is no label.
    fn label(&self, field: &str) -> Result<Option<String>, ReadError> {
        const FLAG: &str = "--label-column";
        match self.value(field, FLAG)? {
            Value::Null => Ok(None),
            Value::String(s) => Ok(Some(s.clone())),
            v @ (Value::Number(_) | Value::Bool(_)) => Ok(Some(v.to_string())),
            other => Err(self.unfit(field, other, FLAG)),
        }
    }

    /// A field that no line has is a wrong name; one that others have is a defect of this line.
    fn value(&self, field: &str, flag: &'static str) -> Result<&Value, ReadError> {
        let absent = || {
            let (name, fields) = (self.name.to_owned(), self.fields.keys().map(String::as_str));
            let columns = fields.clone().collect::<Vec<_>>().join(", ");
            if self.all.iter().any(|(_, v)| v.get(field).is_some()) {
                return ReadError::JsonField { name, line: self.line, field: field.to_owned(), fields: columns, flag };
            }
            let suggestion = column::nearest(field, fields);
            ReadError::NoSuchColumn { name, wanted: field.to_owned(), flag, suggestion, columns }
        };
        self.fields.get(field).ok_or_else(absent)
    }

    fn unfit(&self, field: &str, found: &Value, flag: &'static str) -> ReadError {
        let (name, field) = (self.name.to_owned(), field.to_owned());
        ReadError::JsonType { name, line: self.line, field, found: kind(found), flag }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
