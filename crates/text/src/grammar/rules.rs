//! Reads `en.grammar` and `zh.grammar`, and puts them together for every combination of labels.
//!
//! A rule is a name at the margin and, indented below it, what it may become:
//!
//! ```text
//! let form = base s past           values that {form} takes
//! act.past.{number}                a rule for each value of {number}, in whose lines it stands for that value
//!   x3 <who.{number}> <do.past>    three times as likely as a line without a weight
//!   it rains | -                   `|` separates, each with the line's weight; `-` is nothing
//! noun : singular plural           a table: rows of forms, which are the rules noun.singular and noun.plural
//!   dog / dogs | cat / cats
//! ```
//!
//! `{topic}`, `{sentiment}`, `{tense}` and `{number}`, where the rule's name does not set them, are
//! the labels of the sentence. Put together, a rule is a symbol with alternatives; equal symbols are
//! one, and a symbol comes behind all the symbols it holds, so that there is no recursion.

use std::collections::HashMap;

use super::factors::{Labels, Number, Sentiment, Tense, Topic};

/// A part of an alternative.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Item {
    Text(Box<str>),
    /// An index into [`Symbols::list`].
    Symbol(u32),
}

/// One way to spell a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Alternative {
    pub weight: u32,
    pub items: Vec<Item>,
}

/// What a symbol may become.
pub(super) type Symbol = Vec<Alternative>;

/// A grammar put together.
#[derive(Debug, Clone)]
pub(super) struct Symbols {
    pub list: Vec<Symbol>,
    /// The symbol of a whole sentence for each combination of labels.
    pub roots: Vec<(Labels, u32)>,
}

/// Puts together the rules in `source`. With `blanks`, a blank stands before every word except
/// before punctuation.
pub(super) fn build(source: &str, blanks: bool) -> Result<Symbols, String> {
    let rules = parse(source)?;
    let mut builder = Builder { rules: &rules, blanks, list: Vec::new(), known: HashMap::new(), done: HashMap::new() };
    let mut roots = Vec::new();
    for labels in Labels::all() {
        builder.done.clear();
        roots.push((labels, builder.symbol("sentence", labels)?));
    }
    Ok(Symbols { list: builder.list, roots })
}

/// Lines of a rule: weight and words; a word in angle brackets is another rule's name.
type Lines = Vec<(u32, Vec<String>)>;

fn parse(source: &str) -> Result<HashMap<String, Lines>, String> {
    let mut sets: HashMap<String, Vec<String>> =
        [("topic", Topic::NAMES), ("sentiment", Sentiment::NAMES), ("tense", Tense::NAMES), ("number", Number::NAMES)]
            .map(|(name, values)| (name.to_owned(), values.iter().map(|v| (*v).to_owned()).collect()))
            .into();
    let mut rules = HashMap::new();
    let mut lines = source.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#')).peekable();
    while let Some((at, head)) = lines.next() {
        let bad = |why: &str| format!("line {}: {why}: {head}", at + 1);
        if let Some(set) = head.strip_prefix("let ") {
            let (name, values) = set.split_once('=').ok_or_else(|| bad("no ="))?;
            sets.insert(name.trim().to_owned(), values.split_whitespace().map(str::to_owned).collect());
            continue;
        }
        let mut body = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, l)| l.starts_with(' ')) {
            body.push(line.trim());
        }
        if head.starts_with(' ') || body.is_empty() {
            return Err(bad("a rule is a name at the margin with indented lines below"));
        }
        let named = match head.split_once(" : ") {
            Some((name, columns)) => table(name, columns, &body).ok_or_else(|| bad("a row has not a form a column"))?,
            None => expand(head.trim(), &body.join("\n"), &sets)
                .into_iter()
                .map(|(name, body)| (name, alternatives(&body)))
                .collect(),
        };
        for (name, lines) in named {
            if rules.insert(name, lines).is_some() {
                return Err(bad("a second rule of this name"));
            }
        }
    }
    Ok(rules)
}

/// A rule for each value of the first variable in its name, then of the next.
fn expand(head: &str, body: &str, sets: &HashMap<String, Vec<String>>) -> Vec<(String, String)> {
    let variable = head.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
    let Some((variable, values)) = variable.and_then(|v| Some((v, sets.get(v)?))) else {
        return vec![(head.to_owned(), body.to_owned())];
    };
    let put = |text: &str, value: &str| text.replace(&format!("{{{variable}}}"), value);
    values.iter().flat_map(|v| expand(&put(head, v), &put(body, v), sets)).collect()
}

fn alternatives(body: &str) -> Lines {
    let mut lines = Vec::new();
    for line in body.lines() {
        let weight = line.split_once(' ').and_then(|(w, rest)| Some((w.strip_prefix('x')?.parse().ok()?, rest)));
        let (weight, rest) = weight.unwrap_or((1, line));
        for alternative in rest.split('|') {
            lines.push((weight, words(alternative)));
        }
    }
    lines
}

fn table(name: &str, columns: &str, body: &[&str]) -> Option<Vec<(String, Lines)>> {
    let columns: Vec<&str> = columns.split_whitespace().collect();
    let mut rules: Vec<(String, Lines)> = columns.iter().map(|c| (format!("{name}.{c}"), Vec::new())).collect();
    for row in body.iter().flat_map(|line| line.split('|')) {
        let forms: Vec<&str> = row.split('/').collect();
        if forms.len() != columns.len() {
            return None;
        }
        for ((_, lines), form) in rules.iter_mut().zip(forms) {
            lines.push((1, words(form)));
        }
    }
    Some(rules)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|w| *w != "-").map(str::to_owned).collect()
}

struct Builder<'a> {
    rules: &'a HashMap<String, Lines>,
    blanks: bool,
    list: Vec<Symbol>,
    /// The place of each symbol in the list.
    known: HashMap<Symbol, u32>,
    /// Rules put together with the present labels; `None` while that is under way.
    done: HashMap<String, Option<u32>>,
}

impl Builder<'_> {
    fn symbol(&mut self, name: &str, labels: Labels) -> Result<u32, String> {
        match self.done.get(name) {
            Some(Some(id)) => return Ok(*id),
            Some(None) => return Err(format!("the rule {name} leads back to itself")),
            None => {}
        }
        self.done.insert(name.to_owned(), None);
        let rules = self.rules;
        let lines = rules.get(name).ok_or_else(|| format!("there is no rule {name}"))?;
        let mut symbol = Vec::with_capacity(lines.len());
        for (weight, words) in lines {
            let items = words.iter().map(|w| self.item(w, labels)).collect::<Result<_, _>>()?;
            symbol.push(Alternative { weight: *weight, items });
        }
        let list = &mut self.list;
        let id = *self.known.entry(symbol).or_insert_with_key(|symbol| {
            list.push(symbol.clone());
            list.len() as u32 - 1
        });
        self.done.insert(name.to_owned(), Some(id));
        Ok(id)
    }

    fn item(&mut self, word: &str, labels: Labels) -> Result<Item, String> {
        let Some(name) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) else {
            let blank = if self.blanks && !matches!(word, "," | ".") { " " } else { "" };
            return Ok(Item::Text(format!("{blank}{word}").into()));
        };
        let mut resolved = name.to_owned();
        while let Some((before, variable, after)) = variable(&resolved) {
            let value = labels.value(variable).ok_or_else(|| format!("{word}: {{{variable}}} has no value"))?;
            resolved = format!("{before}{value}{after}");
        }
        self.symbol(&resolved, labels).map(Item::Symbol)
    }
}

/// What stands before, in and behind the first pair of braces.
fn variable(name: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = name.split_once('{')?;
    let (variable, after) = rest.split_once('}')?;
    Some((before, variable, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_used() {
        for source in [super::super::ENGLISH, super::super::CHINESE] {
            let rules = parse(source).unwrap();
            let mut used: std::collections::HashSet<String> = ["sentence".to_owned()].into();
            for labels in Labels::all() {
                let mut builder = Builder {
                    rules: &rules,
                    blanks: true,
                    list: Vec::new(),
                    known: HashMap::new(),
                    done: HashMap::new(),
                };
                builder.symbol("sentence", labels).unwrap();
                used.extend(builder.done.into_keys());
            }
            let unused: Vec<_> = rules.keys().filter(|r| !used.contains(*r)).collect();
            assert!(unused.is_empty(), "{unused:?}");
        }
    }

    #[test]
    fn broken_rules_are_named() {
        for (source, message) in [
            ("sentence\n  <who>\n", "no rule who"),
            ("sentence\n  <sentence> again\n", "leads back to itself"),
            ("sentence\n  <a.{mood}>\n", "{mood} has no value"),
            ("sentence\n", "line 1"),
            ("\n  words\n", "line 2"),
            ("noun : one many\n  dog\n", "line 1: a row"),
            ("sentence\n  a\nsentence\n  b\n", "line 3: a second rule"),
        ] {
            let error = build(source, true).unwrap_err();
            assert!(error.contains(message), "{source:?}: {error}");
        }
    }
}
