//! Sentences of a text, and texts of several documents.
//!
//! [`pieces`] cuts a text after its sentences, by rules for English and other texts with blanks between words, and for
//! Chinese and Japanese. The pieces are byte ranges that lie end to end, so that they give the text back exactly.
//! [`documents`] groups the records of a corpus.

use std::ops::Range;

use crate::{Corpus, Record, read::Format};

/// Marks that end a sentence wherever they stand.
const WIDE_STOPS: [char; 5] = ['。', '！', '？', '．', '｡'];
/// Marks that end a sentence before a blank.
const STOPS: [char; 4] = ['.', '!', '?', '…'];
/// Marks that may close what a stop has ended.
const CLOSERS: &str = "\"'”’)]}»」』）》】〉";
/// Marks that may open a sentence.
const OPENERS: &str = "\"'“‘([{«「『（《【〈—–-¿¡";
/// Abbreviations that are followed by a name or a number.
const LEADING: [&str; 46] = [
    "mr", "mrs", "ms", "messrs", "mme", "mlle", "dr", "prof", "rev", "hon", "st", "gen", "col", "maj", "capt", "lt",
    "sgt", "cpl", "sen", "rep", "gov", "pres", "mt", "ft", "vs", "cf", "viz", "fig", "figs", "eq", "eqs", "sec",
    "chap", "vol", "pp", "jr", "ph.d", "al", "approx", "ca", "dept", "univ", "e.g", "i.e", "u.s", "u.k",
];
/// Abbreviations only before a number.
const BEFORE_NUMBER: [&str; 16] =
    ["no", "nos", "p", "art", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"];

/// Byte ranges of the sentences of `text`, each with the blanks after it (the first also with those before it): they
/// lie end to end and cover the text. None for a text of blanks or nothing.
///
/// The end of a line ends a sentence. A stop within a word (3.14, example.org), after an initial or an abbreviation, or
/// before a small letter does not; quotes and brackets that close after a stop belong to the sentence.
pub fn pieces(text: &str) -> Vec<Range<usize>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut ends = Vec::new();
    let (mut start, mut i) = (0, 0);
    while i < chars.len() {
        let Some(next) = end_of_sentence(&chars, start, i) else {
            i += 1;
            continue;
        };
        ends.push(skip(&chars, next, char::is_whitespace));
        i = ends[ends.len() - 1];
        start = i;
    }
    let at = |i: usize| chars.get(i).map_or(text.len(), |c| c.0);
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut begin = 0;
    for end in ends.into_iter().map(at).chain([text.len()]) {
        // What has no letter, digit or sign of its own belongs to its neighbour.
        if text[begin..end].trim().is_empty() {
            if let (Some(last), true) = (out.last_mut(), end == text.len()) {
                last.end = end;
            }
            continue;
        }
        out.push(begin..end);
        begin = end;
    }
    out
}

/// The sentences of `text` without the blanks around them.
pub fn sentences(text: &str) -> Vec<&str> {
    pieces(text).into_iter().map(|range| text[range].trim()).collect()
}

/// The index after the sentence if one ends with the character `i`; the sentence began at `start`.
fn end_of_sentence(chars: &[(usize, char)], start: usize, i: usize) -> Option<usize> {
    let c = chars[i].1;
    if matches!(c, '\n' | '\u{2028}' | '\u{2029}') {
        return Some(i + 1);
    }
    let is_stop = |c: char| WIDE_STOPS.contains(&c) || STOPS.contains(&c);
    if !is_stop(c) || (i > start && is_stop(chars[i - 1].1)) {
        return None; // a run of stops is looked at from its first
    }
    let run = skip(chars, i, is_stop);
    let closed = skip(chars, run, |c| CLOSERS.contains(c));
    let Some(&(_, after)) = chars.get(closed) else { return Some(closed) };
    if chars[i..run].iter().any(|c| WIDE_STOPS.contains(&c.1)) {
        return Some(closed);
    }
    if !after.is_whitespace() {
        // Chinese has no blank after a narrow mark either.
        let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        return (matches!(c, '!' | '?') && is_han(after)).then_some(closed);
    }
    let begin = skip(chars, closed, |c| c.is_whitespace() && c != '\n');
    let begin = skip(chars, begin, |c| OPENERS.contains(c));
    let next = chars.get(begin).map_or('\n', |c| c.1);
    if next.is_lowercase() || matches!(next, ',' | ';' | ':') {
        return None;
    }
    let alone = c == '.' && run == i + 1;
    if alone && closed == run && next != '\n' && is_abbreviation(&chars[start..i], next) {
        return None;
    }
    Some(closed)
}

/// Whether the full stop after `before` belongs to its last word.
fn is_abbreviation(before: &[(usize, char)], next: char) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '.';
    let from = before.iter().rposition(|c| !is_part(c.1)).map_or(0, |at| at + 1);
    let word: String = before[from..].iter().map(|c| c.1).collect();
    let mut letters = word.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        // An initial; "I" ends many a sentence.
        return letter.is_uppercase() && letter != 'I' || letter.is_ascii_digit() && from == 0;
    }
    if from == 0 && word.chars().all(|c| c.is_ascii_digit()) && !word.is_empty() {
        return word.len() < 4; // the number of an item in a list
    }
    let small = word.to_lowercase();
    LEADING.contains(&small.as_str()) || next.is_numeric() && BEFORE_NUMBER.contains(&small.as_str())
}

fn skip(chars: &[(usize, char)], from: usize, which: impl Fn(char) -> bool) -> usize {
    from + chars[from..].iter().take_while(|c| which(c.1)).count()
}

/// A document as its sentences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    pub sentences: Vec<String>,
    /// Those of documents that are given beside it, if there are such.
    pub given: Vec<Vec<String>>,
}

/// The documents of a corpus that was read with its empty records kept; those without any sentences are left out.
///
/// In a text file, blank lines lie between documents and a line is one or more sentences; in a table or jsonl, each
/// record is a document, and its label, if there is one, holds what is given beside it ([`separated`]).
pub fn documents(corpus: &Corpus) -> Vec<Document> {
    let alone = |sentences| Document { sentences, given: Vec::new() };
    let record = |record: &Record| Document {
        sentences: owned(&record.text),
        given: record.label.as_deref().map(separated).unwrap_or_default(),
    };
    let mut out: Vec<Document> = match corpus.report.format {
        Format::Txt => {
            let lines: Vec<&str> = corpus.records.iter().map(AsRef::as_ref).collect();
            between_blanks(&lines).map(alone).collect()
        }
        _ => corpus.records.iter().map(record).collect(),
    };
    out.retain(|document| !document.sentences.is_empty());
    out
}

/// The sentences of each document of a text with blank lines between its documents; those without any are left out.
pub fn separated(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    between_blanks(&lines).filter(|document| !document.is_empty()).collect()
}

fn between_blanks(lines: &[&str]) -> impl Iterator<Item = Vec<String>> {
    lines.split(|line| line.trim().is_empty()).map(|lines| lines.iter().flat_map(|line| owned(line)).collect())
}

fn owned(text: &str) -> Vec<String> {
    sentences(text).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read::{ReadOptions, read_from};

    #[test]
    fn english() {
        for (text, expected) in [
            ("It rained. We left.", &["It rained.", "We left."][..]),
            (
                "Dr. Fox met J. R. Hare at 3.15 p.m. on Elm St. by the mill. He ran!",
                &["Dr. Fox met J. R. Hare at 3.15 p.m. on Elm St. by the mill.", "He ran!"],
            ),
            ("\"Stop!\" he said. \"Why?\" \"Because.\"", &["\"Stop!\" he said.", "\"Why?\"", "\"Because.\""]),
            ("(He knew.) So did I. They came", &["(He knew.)", "So did I.", "They came"]),
            (
                "Well... perhaps. Well... Perhaps?! No. 7 won. No. I lost.",
                &["Well... perhaps.", "Well...", "Perhaps?!", "No. 7 won.", "No.", "I lost."],
            ),
            ("1. Buy milk. 2. Go home.", &["1. Buy milk.", "2. Go home."]),
            ("one line\nanother, of example.org\n\n", &["one line", "another, of example.org"]),
            ("a tokenised one . And another .", &["a tokenised one .", "And another ."]),
            (
                "e.g. Paris, i.e. the city, cost 5 Fr. in the U.S. Army.",
                &["e.g. Paris, i.e. the city, cost 5 Fr. in the U.S. Army."],
            ),
        ] {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }

    #[test]
    fn chinese() {
        let text = "天黑了。他说：“快走！”我们走吗？走……也好。完";
        assert_eq!(sentences(text), ["天黑了。", "他说：“快走！”", "我们走吗？", "走……也好。", "完"]);
    }

    #[test]
    fn nothing_and_blanks() {
        for text in ["", " \n ", "\n\n"] {
            assert!(pieces(text).is_empty());
        }
        assert_eq!(pieces("  ...  "), std::slice::from_ref(&(0..7)));
        assert_eq!(pieces("\n a. \n"), std::slice::from_ref(&(0..6)));
    }

    #[test]
    fn documents_of_files() {
        let options = ReadOptions::one_to_one();
        let of = |text: &str, name: &str| documents(&read_from(text.as_bytes(), name, &options).unwrap());
        let document = |sentences: &[&str], given: &[&[&str]]| Document {
            sentences: sentences.iter().map(|&s| s.into()).collect(),
            given: given.iter().map(|d| d.iter().map(|&s| s.into()).collect()).collect(),
        };
        let expected = [document(&["A b.", "C.", "D"], &[]), document(&["E f."], &[])];
        assert_eq!(of("\nA b. C.\nD\n\n \nE f.\n\n", "x.txt"), expected);
        assert_eq!(of("{\"text\":\"A b. C.\\nD\"}\n{\"text\":\"E f.\"}\n", "x.jsonl"), expected);
        let options = ReadOptions { label_column: Some("given".into()), column: Some("text".into()), ..options };
        let of = |text: &str, name: &str| documents(&read_from(text.as_bytes(), name, &options).unwrap());
        let expected = [document(&["A b."], &[&["G h.", "I."], &["K l."]]), document(&["C d."], &[])];
        let csv = "text,given\nA b.,\"G h.\nI.\n\n\n K l. \"\nC d.,\n,X.\n";
        assert_eq!(of(csv, "x.csv"), expected);
        let jsonl = "{\"text\":\"A b.\",\"given\":\"G h.\\nI.\\n\\nK l.\"}\n{\"text\":\"C d.\",\"given\":null}\n";
        assert_eq!(of(jsonl, "x.jsonl"), expected);
    }

    proptest! {
        #[test]
        fn pieces_give_the_text_back(text in "[a-cA-C1 .!?…。！”\"')(\n\u{3000}]{0,60}") {
            let found = pieces(&text);
            let joined: String = found.iter().map(|r| &text[r.clone()]).collect();
            prop_assert!(found.windows(2).all(|w| w[0].end == w[1].start));
            prop_assert!(found.iter().all(|r| !text[r.clone()].trim().is_empty()));
            match text.trim().is_empty() {
                true => prop_assert!(found.is_empty()),
                false => prop_assert_eq!(joined, text),
            }
        }
    }
}
