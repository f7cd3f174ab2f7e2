//! The sample corpus: exact probabilities, labels, agreement, variety.

use std::collections::{BTreeSet, HashMap};

use super::*;
use crate::read::{Format, ReadOptions, read_from};

const BOTH: [Language; 2] = [Language::English, Language::Chinese];

fn texts(n: usize, language: Language) -> Vec<String> {
    Grammar::default().corpus(n, Some(language), 11).into_iter().map(|s| s.text).collect()
}

#[test]
fn no_two_derivations_spell_the_same_text() {
    let grammar = Grammar::default();
    for language in BOTH {
        let all = proof::all(grammar.symbols(language));
        assert_eq!(proof::ambiguous_symbols(&all), [] as [u32; 0], "{language}");
    }
    // The two languages share no text: one is ASCII, the other begins with what is not.
    for (language, ascii) in [(Language::English, true), (Language::Chinese, false)] {
        let items = grammar.symbols(language).list.iter().flatten().flat_map(|a| &a.items);
        let words = items.filter_map(|i| if let Item::Text(w) = i { Some(w) } else { None });
        assert!(words.into_iter().all(|w| w.is_ascii() == ascii), "{language}");
    }
}

#[test]
fn the_proof_finds_ambiguities() {
    for (source, ambiguous) in [
        ("sentence\n  <a> <b>\na\n  x | x y\nb\n  z | y z\n", true),
        ("sentence\n  <a> <b>\na\n  x | x y\nb\n  z | w z\n", false),
        ("sentence\n  <a> c | <b> c\na\n  x | y\nb\n  z | Y\n", true),
        ("sentence\n  <a> <a> <a>\na\n  - | x\n", true),
        ("sentence\n  <a> y <a>\na\n  - | x\n", false),
        ("sentence\n  <a> <b> | <b> <a>\na\n  x | x x\nb\n  x\n", true),
    ] {
        let mut symbols = rules::build(source, false).unwrap();
        symbols.roots.truncate(1);
        assert_eq!(!proof::ambiguous_symbols(&proof::all(&symbols)).is_empty(), ambiguous, "{source}");
    }
    // A word too many in the real ones.
    for (source, old, new) in [(ENGLISH, "| Lucy", "| Tom"), (CHINESE, "| 小芳", "| 小明")] {
        let symbols = rules::build(&source.replace(old, new), source == ENGLISH).unwrap();
        assert!(!proof::ambiguous_symbols(&proof::all(&symbols)).is_empty(), "{old} -> {new}");
    }
    // Labels that the text does not show.
    let unlabelled = rules::build("sentence\n  same\n", false).unwrap();
    assert!(!proof::ambiguous_symbols(&proof::all(&unlabelled)).is_empty());
}

/// At most two alternatives of each symbol but a sentence, and few combinations of labels: small
/// enough to write out every derivation with its probability.
fn miniature(symbols: &Symbols) -> Symbols {
    let mut mini = symbols.clone();
    mini.roots.retain(|(l, _)| l.topic == Topic::Weather && l.tense == Tense::Present);
    let roots: Vec<u32> = mini.roots.iter().map(|r| r.1).collect();
    for (i, symbol) in mini.list.iter_mut().enumerate() {
        if !roots.contains(&(i as u32)) && symbol.len() > 2 {
            let last = symbol.len() - 1;
            symbol.swap(1, last);
            symbol.truncate(2);
        }
    }
    mini
}

fn enumerate(symbols: &Symbols, symbol: u32) -> Vec<(String, f64)> {
    let alternatives = &symbols.list[symbol as usize];
    let total: f64 = alternatives.iter().map(|a| f64::from(a.weight)).sum();
    let mut all = Vec::new();
    for a in alternatives {
        let mut partial = vec![(String::new(), f64::from(a.weight) / total)];
        for item in &a.items {
            let endings = match item {
                Item::Text(w) => vec![(w.to_string(), 1.0)],
                Item::Symbol(s) => enumerate(symbols, *s),
            };
            let join = |(t, p): &(String, f64)| endings.iter().map(|(u, q)| (format!("{t}{u}"), p * q)).collect();
            partial = partial.iter().flat_map(|start| -> Vec<(String, f64)> { join(start) }).collect();
        }
        all.extend(partial);
    }
    all
}

#[test]
fn a_miniature_written_out_in_full_has_the_stated_probabilities() {
    let grammar = Grammar::default();
    for language in BOTH {
        let mini = miniature(grammar.symbols(language));
        let mut known: HashMap<String, f64> = HashMap::new();
        let (mut derivations, mut sum, mut plogp) = (0, 0.0, 0.0);
        for &(_, root) in &mini.roots {
            for (deep, p) in enumerate(&mini, root) {
                let p = p / mini.roots.len() as f64;
                (derivations, sum, plogp) = (derivations + 1, sum + p, plogp - p * p.ln());
                known.insert(surface(&deep, language), p);
            }
        }
        println!("{language}: {derivations} derivations");
        assert!(derivations > 5000);
        assert_eq!(known.len(), derivations, "{language}: each its own text");
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        assert!((plogp - entropy(&mini)).abs() < 1e-9, "{plogp}");
        let small = match language {
            Language::English => Grammar { english: mini, ..grammar.clone() },
            Language::Chinese => Grammar { chinese: mini, ..grammar.clone() },
        };
        for (text, p) in known.iter().take(500) {
            let reading = small.parse(text).unwrap();
            assert_eq!(reading.derivations, 1, "{text}");
            assert!((reading.probability / p - 1.0).abs() < 1e-9, "{text}");
        }
    }
}

#[test]
fn entropy_is_the_mean_of_the_negative_log_probability() {
    let grammar = Grammar::default();
    for language in [Some(Language::English), Some(Language::Chinese), None] {
        let n = 4000;
        let corpus = grammar.corpus(n, language, 5);
        let nats: Vec<f64> = corpus.iter().map(|s| -grammar.log_prob(&s.text, language).unwrap()).collect();
        let mean = nats.iter().sum::<f64>() / n as f64;
        let variance = nats.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
        let error = (variance / n as f64).sqrt();
        let entropy = grammar.entropy(language);
        println!("{language:?}: entropy {entropy:.4}, sampled {mean:.4} +- {error:.4}");
        assert!((mean - entropy).abs() < 3.0 * error);
    }
}

#[test]
fn labels_can_be_read_from_the_text() {
    let grammar = Grammar::default();
    for sentence in grammar.corpus(2000, None, 3) {
        assert_eq!(grammar.read(&sentence.text).as_ref(), Some(&sentence));
        assert_eq!(grammar.parse(&sentence.text).unwrap().derivations, 1, "{}", sentence.text);
    }
}

#[test]
fn other_texts_have_no_probability() {
    let grammar = Grammar::default();
    let good = "Yesterday, Tom prepared an awful soup in the kitchen.";
    assert!(grammar.log_prob(good, None).is_some());
    assert!(grammar.log_prob(good, Some(Language::Chinese)).is_none());
    for bad in [
        "",
        " ",
        "。",
        &good.to_lowercase(),
        &good.replace(" an ", " a "),
        &good.replace(" an awful", " an bland"),
        &good.replace("prepared", "prepares"),
        &good.replace("soup", "song"),
        &good.replace("awful", "tasty"),
        &format!(" {good}"),
        &format!("{good} "),
        &good.replace(" Tom", "  Tom"),
    ] {
        assert_eq!(grammar.log_prob(bad, None), None, "{bad:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_corpus() {
    let grammar = Grammar::default();
    for language in [Some(Language::English), Some(Language::Chinese), None] {
        let corpus = grammar.corpus(200, language, 1);
        assert_eq!(corpus, grammar.corpus(200, language, 1));
        assert_eq!(corpus[..50], grammar.corpus(50, language, 1));
        assert_ne!(corpus, grammar.corpus(200, language, 2));
        assert!(corpus.iter().all(|s| language.is_none_or(|l| l == s.language)));
    }
}

#[test]
fn every_label_is_as_likely_as_the_others() {
    let corpus = Grammar::default().corpus(12_000, None, 4);
    for &factor in Factor::ALL {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        corpus.iter().for_each(|s| *counts.entry(s.label(factor)).or_default() += 1);
        let expected = corpus.len() as f64 / factor.values().len() as f64;
        for value in factor.values() {
            let ratio = counts[value] as f64 / expected;
            assert!((0.9..1.1).contains(&ratio), "{factor} {value}: {ratio}");
        }
        let entropy = Grammar::default().factor_entropy(factor);
        assert!((entropy - (factor.values().len() as f64).ln()).abs() < 1e-12);
    }
}

#[test]
fn english_agrees() {
    let corpus = Grammar::default().corpus(20_000, Some(Language::English), 8);
    for Sentence { text, .. } in &corpus {
        let words: Vec<&str> = text.split([' ', ',', '.']).filter(|w| !w.is_empty()).collect();
        for pair in words.windows(2) {
            let vowel = pair[1].starts_with(['a', 'e', 'i', 'o', 'u']);
            assert!(pair[0] != "a" || !vowel, "{text}");
            assert!(pair[0] != "an" || vowel, "{text}");
            // Where a letter misleads.
            assert!(!pair[1].starts_with("hour") && !pair[1].starts_with("hon"), "{text}");
            assert!(!pair[1].starts_with("use") && !pair[1].starts_with("uni"), "{text}");
            let subject = pair[0].to_lowercase();
            let plural = ["we", "they"].contains(&&*subject);
            assert!(!(plural && ["is", "was", "loves", "says"].contains(&pair[1])), "{text}");
            let singular = ["he", "she", "it", "everyone"].contains(&&*subject);
            assert!(!(singular && ["are", "were", "love", "say"].contains(&pair[1])), "{text}");
            assert!(!(pair[0] == "I" && ["is", "are", "were", "loves"].contains(&pair[1])), "{text}");
            assert!(pair[0] != pair[1], "{text}");
            let counted = ["two", "three", "several", "many"].contains(&&*subject);
            assert!(!(counted && ["soup", "song", "doctor"].contains(&pair[1])), "{text}");
        }
        assert!(text.starts_with(|c: char| c.is_ascii_uppercase()) && text.ends_with('.'), "{text}");
        assert!(!text.contains("  ") && !text.contains(" ,") && !text.contains(" ."), "{text}");
    }
}

/// The fewest and the most words (English) or characters (Chinese) of a symbol.
fn lengths(symbols: &Symbols, blanks: bool) -> (usize, usize) {
    let mut known: Vec<(usize, usize)> = Vec::new();
    for symbol in &symbols.list {
        let of = |item: &Item| match item {
            Item::Text(w) if blanks => (w.matches(' ').count(), w.matches(' ').count()),
            Item::Text(w) => (w.chars().count(), w.chars().count()),
            Item::Symbol(s) => known[*s as usize],
        };
        let each = symbol.iter().map(|a| a.items.iter().map(of).fold((0, 0), |x, y| (x.0 + y.0, x.1 + y.1)));
        let each: Vec<_> = each.collect();
        known.push((each.iter().map(|e| e.0).min().unwrap(), each.iter().map(|e| e.1).max().unwrap()));
    }
    let roots = symbols.roots.iter().map(|(_, r)| known[*r as usize]);
    roots.fold((usize::MAX, 0), |x, y| (x.0.min(y.0), x.1.max(y.1)))
}

#[test]
fn sentences_are_neither_short_nor_long() {
    let grammar = Grammar::default();
    let (least, most) = lengths(&grammar.english, true);
    assert!(least >= 6 && most <= 16, "English: {least} to {most} words");
    let (least, most) = lengths(&grammar.chinese, false);
    assert!(least >= 10 && most <= 42, "Chinese: {least} to {most} characters");
}

#[test]
fn there_are_many_sentences_of_few_words() {
    let grammar = Grammar::default();
    for language in BOTH {
        println!("{language}: {:.2e} sentences", grammar.size(language) as f64);
        assert!(grammar.size(language) > 10_000_000);
    }
    let words: BTreeSet<String> = texts(40_000, Language::English)
        .iter()
        .flat_map(|t| t.split([' ', ',', '.']).filter(|w| !w.is_empty()).map(str::to_lowercase).collect::<Vec<_>>())
        .collect();
    println!("{} English words", words.len());
    assert!((300..=500).contains(&words.len()), "{}", words.len());
}

#[test]
fn a_written_corpus_is_read_back() {
    let corpus = Grammar::default().corpus(300, None, 6);
    for format in [Format::Txt, Format::Tsv, Format::Csv, Format::Jsonl] {
        let mut file = Vec::new();
        write(&corpus, format, &mut file).unwrap();
        for &factor in Factor::ALL {
            let labels = format != Format::Txt;
            let label_column = labels.then(|| factor.name().to_owned());
            let options = ReadOptions { label_column, ..ReadOptions::default() };
            let back = read_from(&file[..], &format!("sample.{format}"), &options).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(back.records.len(), corpus.len());
            for (record, sentence) in back.records.iter().zip(&corpus) {
                assert_eq!(record.text, sentence.text);
                assert_eq!(record.label.as_deref(), labels.then(|| sentence.label(factor)));
            }
        }
    }
}

/// `cargo test -p strait-text samples -- --nocapture` shows what the sentences are like.
#[test]
fn samples() {
    for language in BOTH {
        for s in Grammar::default().corpus(30, Some(language), 1) {
            println!("{} [{} {} {} {}]", s.text, s.topic, s.sentiment, s.tense, s.number);
            assert!(!s.text.is_empty());
        }
    }
}
