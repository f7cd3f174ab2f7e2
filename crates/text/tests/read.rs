//! Readers: what is found out, and each malformed file by name with its message.

use std::io::Write as _;

use proptest::prelude::*;
use strait_text::read::{Compression, Corpus, Format, Header, LongRecords, ReadError, ReadOptions, read, read_from};

fn options() -> ReadOptions {
    ReadOptions::default()
}

fn with_column(column: &str) -> ReadOptions {
    ReadOptions { column: Some(column.to_owned()), ..options() }
}

fn ok(name: &str, content: impl AsRef<[u8]>, options: &ReadOptions) -> Corpus {
    read_from(content.as_ref(), name, options).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn fails(name: &str, content: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    match read_from(content.as_ref(), name, options) {
        Ok(c) => panic!("{name} was read: {:?}", c.records),
        Err(e) => e.to_string(),
    }
}

fn texts(corpus: &Corpus) -> Vec<&str> {
    corpus.records.iter().map(|r| r.text.as_str()).collect()
}

fn labels(corpus: &Corpus) -> Vec<&str> {
    corpus.records.iter().map(|r| r.label.as_deref().unwrap_or("-")).collect()
}

fn has(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn plain_lines_with_everything_reported() {
    let corpus = ok("a.txt", "\u{feff}one\r\n\r\ntwo\r\none\r\n", &options());
    assert_eq!(texts(&corpus), ["one", "two", "one"]);
    let r = &corpus.report;
    assert!(r.bom_removed && r.crlf);
    assert_eq!((r.records, r.empty_skipped, r.duplicates), (3, 1, 1));
    has(
        &r.to_string(),
        &[
            "a.txt: 3 records",
            "read as txt",
            "byte-order mark",
            "CR LF",
            "1 record without text skipped",
            "1 duplicate kept",
            "--format",
        ],
    );
    let dropped = ok("a.txt", "one\ntwo\none", &ReadOptions { drop_duplicates: true, ..options() });
    assert_eq!(texts(&dropped), ["one", "two"]);
}

#[test]
fn one_to_one_keeps_every_line() {
    let corpus = ok("a.txt", format!("one\n\n{}\n", "x".repeat(5000)), &ReadOptions::one_to_one());
    assert_eq!(corpus.records.len(), 3);
    assert_eq!(corpus.records[1].text, "");
    assert_eq!(corpus.records[2].text.len(), 5000);
}

#[test]
fn a_headerless_tsv_finds_its_sentences() {
    let content = "0\tthe food was bad .\n1\tvery nice \"place\n1\ti liked it\n";
    let corpus = ok("a.tsv", content, &options());
    assert_eq!(texts(&corpus), ["the food was bad .", "very nice \"place", "i liked it"]);
    has(&corpus.report.to_string(), &["column 2 of 2", "longest texts", "--column", "no header"]);
    let labelled = ReadOptions { label_column: Some("1".into()), ..options() };
    assert_eq!(labels(&ok("a.tsv", content, &labelled)), ["0", "1", "1"]);
    // The same without a name to go by.
    let corpus = ok("standard input", content, &options());
    assert_eq!((corpus.report.format, corpus.records.len()), (Format::Tsv, 3));
}

#[test]
fn ids_do_not_win_over_text() {
    let content = "我们喜欢踢足球。\t#4753747 garborg #4746493 e003\n这个问题已经解决了。\t#43710 CK #793929 Martha\n";
    assert_eq!(ok("a.tsv", content, &options()).report.column.as_deref(), Some("1 of 2"));
}

#[test]
fn csv_with_header_quotes_and_newlines() {
    let content = "id,text,label\n1,\"hello, \"\"you\"\"\nthere\",good\n2,bye now,bad\n";
    let corpus = ok("a.csv", content, &ReadOptions { label_column: Some("label".into()), ..options() });
    assert_eq!(texts(&corpus), ["hello, \"you\"\nthere", "bye now"]);
    assert_eq!(labels(&corpus), ["good", "bad"]);
    has(&corpus.report.to_string(), &["\"text\" (2 of 3)", "\"label\" (3 of 3)", "the first row"]);
    assert_eq!(texts(&ok("a.csv", content, &with_column("3"))), ["good", "bad"]);
    assert_eq!(ok("-", content, &options()).report.format, Format::Csv);
    let corpus = ok("a.csv", "text;n\nhello there;1\nwell, yes;2\n".replace("well, yes", "well yes"), &options());
    assert_eq!(texts(&corpus), ["hello there", "well yes"]);
}

#[test]
fn header_can_be_said() {
    let content = "alpha,beta\ngamma,delta one two\n";
    assert_eq!(ok("a.csv", content, &options()).records.len(), 2);
    assert_eq!(ok("a.csv", content, &ReadOptions { header: Header::Yes, ..options() }).records.len(), 1);
    assert_eq!(ok("a.csv", content, &with_column("beta")).records.len(), 1);
    let content = "text,label\nhello,1\n";
    assert_eq!(ok("a.csv", content, &ReadOptions { header: Header::No, ..options() }).records.len(), 2);
}

#[test]
fn prose_with_commas_is_not_csv() {
    let content = "Well, yes, I think so.\nNo, not me, never.\n";
    assert_eq!(ok("-", content, &options()).report.format, Format::Txt);
}

#[test]
fn jsonl_objects_and_strings() {
    let content =
        "{\"id\":\"a1\",\"body\":\"hello there\",\"stars\":5}\n\n{\"id\":\"a2\",\"body\":\"so long\",\"stars\":1}\n";
    let labelled = ReadOptions { label_column: Some("stars".into()), ..options() };
    let corpus = ok("a.jsonl", content, &labelled);
    assert_eq!((texts(&corpus), labels(&corpus)), (vec!["hello there", "so long"], vec!["5", "1"]));
    assert_eq!(ok("-", content, &options()).report.format, Format::Jsonl);
    assert_eq!(texts(&ok("a.jsonl", "\"a\\nb\"\n\"c\"\n", &options())), ["a\nb", "c"]);
}

#[test]
fn compressed_files_are_known_by_their_content() {
    let plain = "one\ntwo\n";
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(plain.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    let zst = ruzstd::encoding::compress_to_vec(plain.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    let hash = ok("a.txt", plain, &options()).report.hash;
    assert_eq!(hash.len(), 64);
    for (name, packed, kind) in
        [("a.txt.gz", &gz, Compression::Gzip), ("-", &gz, Compression::Gzip), ("a.txt.zst", &zst, Compression::Zstd)]
    {
        let corpus = ok(name, packed, &options());
        assert_eq!(texts(&corpus), ["one", "two"]);
        assert_eq!((corpus.report.compression, &corpus.report.hash), (kind, &hash));
        has(&fails(name, &packed[..packed.len() - 5], &options()), &["damaged or cut off", name]);
    }
    let twice = [zst.clone(), zst].concat();
    assert_eq!(ok("a.zst", twice, &options()).records.len(), 4);
    let twice = [gz.clone(), gz].concat();
    assert_eq!(ok("a.gz", twice, &options()).records.len(), 4);
}

#[test]
fn long_records_are_split_or_truncated_and_reported() {
    let content = format!("{}\nshort\n", "Some words here. ".repeat(20));
    let limit = ReadOptions { max_chars: 100, ..options() };
    let corpus = ok("a.txt", &content, &limit);
    assert!(corpus.records.len() > 4);
    assert!(corpus.records.iter().all(|r| r.text.chars().count() <= 100));
    assert!(corpus.records[0].text.ends_with('.'));
    has(&corpus.report.to_string(), &["1 record longer than 100 characters split", "--max-chars"]);
    let corpus = ok("a.txt", &content, &ReadOptions { long: LongRecords::Truncate, ..limit });
    assert_eq!((corpus.records.len(), corpus.report.long_truncated), (2, 1));
}

#[test]
fn one_line_is_read_and_noted() {
    let corpus = ok("a.txt", "only", &options());
    has(&corpus.report.to_string(), &["1 record from", "only one record"]);
}

#[test]
fn empty_files() {
    has(&fails("empty.txt", "", &options()), &["empty.txt", "the file is empty"]);
    for (name, content) in
        [("blank.txt", "\n \n\n"), ("bom.txt", "\u{feff}"), ("a.csv", "\n\n"), ("a.jsonl", "\n"), ("a.tsv", "\n")]
    {
        has(&fails(name, content, &options()), &[name, "holds any text"]);
    }
    has(&fails("a.csv", "id,text\n1,\n2, \n", &with_column("text")), &["none of the 2 records", "--column"]);
}

#[test]
fn missing_file_and_directory() {
    let dir = tempfile::tempdir().unwrap();
    let error = read(&dir.path().join("none.txt"), &options()).unwrap_err();
    has(&error.to_string(), &["none.txt", "no such file"]);
    let error = read(dir.path(), &options()).unwrap_err();
    has(&error.to_string(), &["is a directory"]);
    let path = dir.path().join("a.txt");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    assert_eq!(read(&path, &options()).unwrap().records.len(), 2);
}

#[test]
fn invalid_utf8_names_the_line() {
    let content = b"fine\nna\xefve\nfine\n";
    has(&fails("latin1.txt", content, &options()), &["latin1.txt:2", "0xef at column 3", "--lossy", "iconv"]);
    let corpus = ok("latin1.txt", content, &ReadOptions { lossy: true, ..options() });
    assert_eq!(texts(&corpus), ["fine", "na\u{fffd}ve", "fine"]);
    has(&corpus.report.to_string(), &["1 line had invalid UTF-8"]);
}

#[test]
fn utf16_and_binary_are_named() {
    has(&fails("le.txt", b"\xff\xfeh\0i\0\n\0", &options()), &["UTF-16LE", "iconv"]);
    has(&fails("be.txt", b"\xfe\xff\0h\0i", &options()), &["UTF-16BE"]);
    has(&fails("w.txt", b"\xff\xfe\0\0h\0\0\0", &options()), &["UTF-32LE"]);
    has(&fails("nobom.txt", b"h\0i\0\n\0", &options()), &["not a text file", "UTF-16 without"]);
    has(&fails("a.parquet", b"PAR1\x15\x04\x15\0PAR1", &options()), &["Parquet"]);
    has(&fails("a.zip", b"PK\x03\x04\x14\0\0\0", &options()), &["zip archive"]);
}

#[test]
fn missing_columns_are_named_with_a_suggestion() {
    let csv = "id,sentence\n1,hello there\n";
    has(
        &fails("a.csv", csv, &with_column("sentense")),
        &["no column \"sentense\" (--column)", "did you mean \"sentence\"?", "id, sentence"],
    );
    let label = ReadOptions { label_column: Some("9".into()), ..options() };
    has(&fails("a.tsv", "0\tx y\n1\tz\n", &label), &["no column \"9\" (--label-column)", "1 to 2"]);
    has(&fails("a.txt", "hello\n", &with_column("text")), &["--column", "read as txt", "--format"]);
    has(
        &fails("a.jsonl", "{\"txet\":\"a\"}\n", &with_column("text")),
        &["no column \"text\"", "did you mean \"txet\"?"],
    );
    assert!(matches!(read_from(&b"a\tb\n"[..], "a.tsv", &with_column("0")), Err(ReadError::NoSuchColumn { .. })));
}

#[test]
fn ragged_rows_name_the_line() {
    has(&fails("a.csv", "id,text\n1,a\n2,b,c\n", &options()), &["a.csv:3", "3 fields", "first has 2"]);
    has(&fails("a.tsv", "0\ta\n\n1\n", &options()), &["a.tsv:3", "1 fields"]);
}

#[test]
fn bad_jsonl_names_the_line() {
    has(&fails("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\n", &options()), &["a.jsonl:2", "not a JSON object"]);
    has(&fails("a.jsonl", "{\"text\":\"a\"}\n{\"text\":3}\n", &options()), &["a.jsonl:2", "\"text\" is a number"]);
    has(
        &fails("a.jsonl", "{\"text\":\"a\"}\n{\"other\":\"b\"}\n", &with_column("text")),
        &["a.jsonl:2", "no field \"text\"", "other"],
    );
    has(&fails("a.json", "[\n{\"text\":\"a\"}\n]\n", &options()), &["a.json:1", "jq -c '.[]'"]);
    has(&fails("a.jsonl", "17\n", &options()), &["a.jsonl:1", "found a number"]);
}

#[test]
fn objects_without_text_are_named() {
    let numbers = "{\"n\":1,\"m\":2}\n{\"n\":3,\"m\":2}\n";
    has(&fails("a.jsonl", numbers, &options()), &["no field of the objects holds a text", "m, n", "--column"]);
    has(&fails("a.jsonl", numbers, &with_column("n")), &["a.jsonl:1", "\"n\" is a number", "make it a string"]);
    has(&fails("a.json", "{\n  \"text\": \"a\"\n}\n", &options()), &["a.json:1", "jq -c ."]);
}

#[test]
fn an_open_quote_is_named() {
    let content = "id,text\n1,fine\n2,\"open quote\n3,next\n4,more\n";
    has(&fails("a.csv", content, &options()), &["a.csv:3", "never closed", "--format txt"]);
    // Stray quotes inside of fields open nothing.
    assert_eq!(ok("a.csv", "id,text\n1,a 5\" nail\n2,next\n", &options()).records.len(), 2);
    let quoted = "id,text\n1,a 5\" nail\n2,\"two\nlines\"\n";
    assert_eq!(ok("a.csv", quoted, &options()).records.len(), 2);
}

#[test]
fn a_row_of_blanks_is_a_record() {
    let content = "0\thello there\n\t\n\n1\tso long\n";
    let one_to_one = ok("a.tsv", content, &ReadOptions { column: Some("2".into()), ..ReadOptions::one_to_one() });
    assert_eq!(texts(&one_to_one), ["hello there", "", "so long"]);
    let corpus = ok("a.tsv", content, &options());
    assert_eq!((corpus.records.len(), corpus.report.empty_skipped), (2, 2));
}

#[test]
fn carriage_returns_alone_are_noted() {
    has(&ok("a.txt", "one\rtwo\rthree\r", &options()).report.to_string(), &["CRs", "tr '\\r' '\\n'"]);
}

#[test]
fn tabs_in_a_txt_are_noted() {
    has(&ok("a.txt", "0\ta\n1\tb\n", &options()).report.to_string(), &["--format tsv"]);
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), lossy: bool, column in proptest::option::of("[a-c0-3]{1,2}"), max_chars in 0usize..20) {
        for name in ["-", "a.txt", "a.csv", "a.tsv", "a.jsonl", "a.gz"] {
            let options = ReadOptions { lossy, column: column.clone(), max_chars, ..options() };
            let _ = read_from(&bytes[..], name, &options);
            let _ = read_from(&[&[0x1f, 0x8b, 8, 0][..], &bytes].concat()[..], name, &options);
            let _ = read_from(&[&[0x28, 0xb5, 0x2f, 0xfd][..], &bytes].concat()[..], name, &options);
        }
    }

    #[test]
    fn near_misses_never_panic(text in "[a-c\",;\t\n\r{}\\[\\]: 。0-2]{0,120}", max_chars in 0usize..20, label: bool) {
        for name in ["-", "a.txt", "a.csv", "a.tsv", "a.jsonl"] {
            let options = ReadOptions { max_chars, label_column: label.then(|| "1".to_owned()), ..options() };
            if let Ok(corpus) = read_from(text.as_bytes(), name, &options) {
                prop_assert!(!corpus.records.is_empty());
                prop_assert!(corpus.records.iter().all(|r| !r.text.trim().is_empty()));
                prop_assert_eq!(corpus.records.len(), corpus.report.records);
                prop_assert!(!corpus.report.to_string().is_empty());
            }
        }
    }
}
