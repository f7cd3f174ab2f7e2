//! Pairs: which columns they come from, what is left out, and each mistake with its message.

use strait_text::{
    ReadError, ReadOptions,
    read::pairs::{Columns, Pairs, read_pairs, read_parallel},
};

fn columns(source: &str, target: &str) -> Columns {
    let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Columns { source: some(source), target: some(target), references: Vec::new() }
}

fn read(name: &str, content: &str, columns: &Columns) -> Result<Pairs, ReadError> {
    read_pairs(content.as_bytes(), name, columns, &ReadOptions::default())
}

fn sides(pairs: &Pairs) -> Vec<(&str, &str)> {
    pairs.sources.iter().map(String::as_str).zip(pairs.targets.iter().map(String::as_str)).collect()
}

#[test]
fn columns_are_found_or_named() {
    let plain = "the first line of it\tla première ligne\tx\nthe second line of it\tla deuxième ligne\ty\n";
    let first = ("the first line of it", "la première ligne");
    for (named, expected) in [
        (columns("", ""), first),
        (columns("2", ""), (first.1, first.0)),
        (columns("", "1"), (first.1, first.0)),
        (columns("1", "3"), (first.0, "x")),
    ] {
        let pairs = read("a.tsv", plain, &named).unwrap();
        assert_eq!((pairs.sources.len(), sides(&pairs)[0]), (2, expected), "{named:?}");
    }
    let headed = "id,target,source\n1,un,one\n2,deux,two\n";
    assert_eq!(sides(&read("a.csv", headed, &Columns::default()).unwrap()), [("one", "un"), ("two", "deux")]);
    let lines = "{\"source\": \"one\", \"target\": \"un\"}\n{\"source\": \"two\", \"target\": \"deux\"}\n";
    assert_eq!(sides(&read("a.jsonl", lines, &Columns::default()).unwrap()), [("one", "un"), ("two", "deux")]);
    let fields = "{\"q\": \"one\", \"a\": \"un\"}\n";
    assert_eq!(sides(&read("a.jsonl", fields, &columns("q", "a")).unwrap()), [("one", "un")]);
}

#[test]
fn half_pairs_and_long_ones_are_left_out_and_counted() {
    let long = "x".repeat(30);
    let content = format!("one\tun\n\tdeux\nthree\t \n{long}\tquatre\nfive\tcinq\nfive\tcinq\n");
    let options = ReadOptions { max_chars: 20, ..ReadOptions::default() };
    let pairs = read_pairs(content.as_bytes(), "a.tsv", &Columns::default(), &options).unwrap();
    assert_eq!(sides(&pairs), [("one", "un"), ("five", "cinq"), ("five", "cinq")]);
    assert_eq!((pairs.found.pairs, pairs.found.empty, pairs.found.long), (3, 2, 1));
    let said = pairs.found.to_string();
    assert!(said.contains("3 pairs") && said.contains("--source-column") && said.contains("--max-chars"), "{said}");
    let (corpus, sources) = pairs.into_parts();
    assert_eq!((corpus.records.len(), corpus.report.records, sources.len()), (3, 3, 3));
}

#[test]
fn two_files_go_together_line_by_line() {
    let both = |sources: &str, targets: &str| {
        let options = ReadOptions::default();
        read_parallel((sources.as_bytes(), "s.txt"), (targets.as_bytes(), "t.txt"), &options)
    };
    assert_eq!(sides(&both("one\ntwo\n", "un\ndeux\n").unwrap()), [("one", "un"), ("two", "deux")]);
    assert_eq!(sides(&both("one\n\nthree\n", "un\ndeux\ntrois\n").unwrap()), [("one", "un"), ("three", "trois")]);
    let error = both("one\n", "un\ndeux\n").unwrap_err().to_string();
    assert!(error.contains("s.txt has 1 sources, t.txt 2 targets"), "{error}");
}

#[test]
fn mistakes_name_the_flag() {
    for (content, named, part) in [
        ("a b c\td e f\n", columns("zh", ""), "--source-column"),
        ("a b c\td e f\n", columns("", "7"), "--target-column"),
        ("\t\n \tx\n", columns("", ""), "any text"),
    ] {
        let error = read("a.tsv", content, &named).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = read("a.txt", "one line\nanother\n", &Columns::default()).unwrap_err().to_string();
    assert!(error.contains("--source-column") && error.contains("--format"), "{error}");
}
