//! Which column holds the text: as named (by header or 1-based number), or the one with the most
//! letters.

use super::ReadError;

pub(super) struct Chosen {
    pub index: usize,
    pub why: String,
}

/// The column with the longest mean text. Letters count, so that ids, links and numbers do not
/// win; a letter of Chinese, Japanese or Korean says as much as two or three of an alphabet.
pub(super) fn choose(rows: &[&[String]], width: usize, label: Option<usize>) -> Chosen {
    if width == 1 {
        return Chosen { index: 0, why: "the only one".to_owned() };
    }
    let mean = |c: usize| {
        let letters: f64 = rows.iter().map(|r| letters(&r[c])).sum();
        letters / rows.len().max(1) as f64
    };
    let index = (0..width)
        .filter(|&c| Some(c) != label)
        .map(|c| (c, mean(c)))
        // The first of equals.
        .fold((0, -1.0), |best, c| if c.1 > best.1 { c } else { best })
        .0;
    Chosen { index, why: "it has the longest texts; --column to choose another".to_owned() }
}

pub(super) fn letters(text: &str) -> f64 {
    text.chars().filter(|c| c.is_alphabetic()).map(|c| if (c as u32) < 0x2E80 { 1.0 } else { 2.5 }).sum()
}

/// The column that the user named: a header first, then a 1-based number.
pub(super) fn find(
    wanted: &str,
    flag: &'static str,
    names: Option<&[String]>,
    width: usize,
    name: &str,
) -> Result<usize, ReadError> {
    if let Some(i) = names.and_then(|n| n.iter().position(|f| f.trim() == wanted.trim())) {
        return Ok(i);
    }
    if let Ok(number) = wanted.trim().parse::<usize>()
        && (1..=width).contains(&number)
    {
        return Ok(number - 1);
    }
    let columns = match names {
        Some(names) => format!("{} (or 1 to {width})", names.join(", ")),
        None => format!("1 to {width} (there is no header; --header if there is)"),
    };
    Err(ReadError::NoSuchColumn {
        name: name.to_owned(),
        wanted: wanted.to_owned(),
        flag,
        suggestion: names.and_then(|n| nearest(wanted, n.iter().map(String::as_str))),
        columns,
    })
}

/// How a column is called in the report.
pub(super) fn display(index: usize, names: Option<&[String]>, width: usize) -> String {
    match names {
        Some(names) => format!("{:?} ({} of {width})", names[index], index + 1),
        None => format!("{} of {width}", index + 1),
    }
}

/// The candidate nearest to `wanted`, when it is near.
pub(super) fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let wanted = wanted.to_lowercase();
    candidates
        .map(|c| (distance(&wanted, &c.to_lowercase()), c))
        .filter(|(d, c)| *d <= 1 + c.chars().count().min(12) / 3)
        .min()
        .map(|(_, c)| c.to_owned())
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
