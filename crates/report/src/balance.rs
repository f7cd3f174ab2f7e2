//! A check for the tests: are the tags of a page balanced, its attributes quoted, its ids distinct?

use crate::html::is_void;

/// Checks a page, or says what is wrong with it.
pub fn check(page: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap_or(page);
    while let Some(at) = rest.find('<') {
        if rest[..at].contains('>') && open.last() != Some(&"style") {
            return Err(format!("a bare > in {:?}", &rest[..at]));
        }
        let end = tag_end(&rest[at..]).ok_or_else(|| format!("no end of the tag in {open:?}"))? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing inside {open:?}"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("not a tag: {tag:?}"));
        }
        ids.extend(id(attributes)?);
        if !is_void(name) {
            open.push(name);
        }
    }
    if rest.contains('>') {
        return Err(format!("a bare > in {rest:?}"));
    }
    ids.sort_unstable();
    match ids.windows(2).find(|w| w[0] == w[1]) {
        Some(twice) => Err(format!("id {} stands twice", twice[0])),
        None if open.is_empty() => Ok(()),
        None => Err(format!("never closed: {open:?}")),
    }
}

/// Where the tag at the start ends, quotes respected.
fn tag_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(at)
    })
}

/// The id among `name="value"` attributes, each name once.
fn id(mut attributes: &str) -> Result<Option<&str>, String> {
    let (mut found, mut names) = (None, Vec::new());
    while !attributes.trim_start().is_empty() {
        let bad = || format!("not an attribute: {attributes:?}");
        let (name, rest) = attributes.trim_start().split_once("=\"").ok_or_else(bad)?;
        let (value, rest) = rest.split_once('"').ok_or_else(bad)?;
        if names.contains(&name) || value.contains('<') {
            return Err(bad());
        }
        names.push(name);
        found = if name == "id" { Some(value) } else { found };
        attributes = rest;
    }
    Ok(found)
}

#[test]
fn finds_what_is_wrong() {
    assert_eq!(check("<!DOCTYPE html><p id=\"a\">x<br>&gt;</p>"), Ok(()));
    for wrong in
        ["<p>", "</p>", "<b><i></b></i>", "<p a=b></p>", "<p a=\"<\"></p>", "a > b", "<p id=\"a\"></p><p id=\"a\"></p>"]
    {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}
