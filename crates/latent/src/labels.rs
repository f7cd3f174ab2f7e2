//! Labels of rows: a class for each, by number, and the classes' names.

use serde::{Deserialize, Serialize};

/// What is wrong with labels, or with too few of them for what is asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// No labels at all.
    #[error("there are no labels; give one for each row")]
    Empty,
    /// A number without a name.
    #[error("row {row} has class {class}, but there are names for {classes} classes; give a name for each class")]
    Nameless { row: usize, class: usize, classes: usize },
    /// A label that none of the known classes has.
    #[error("row {row} is labelled `{label}`, which is none of the known classes ({known}); correct it or fit anew")]
    Unknown { row: usize, label: String, known: String },
    /// Nothing to tell apart.
    #[error("all rows are labelled `{name}`; give rows of at least two classes")]
    OneClass { name: String },
    /// A name that no row has.
    #[error("no row is labelled `{name}`; give examples of it or leave the class out")]
    Missing { name: String },
    /// A class is too small.
    #[error(
        "class `{name}` has {count} rows where at least {least} are needed; give more, leave the class out or use \
             fewer folds"
    )]
    TooFew { name: String, count: usize, least: usize },
}

/// A class for each of n rows. Classes are numbered from 0 in the order of their names.
///
/// ```
/// use strait_latent::Labels;
/// let labels = Labels::from_texts(&["pos", "neg", "pos"]);
/// assert_eq!((labels.names(), labels.codes()), (&["neg".to_owned(), "pos".to_owned()][..], &[1, 0, 1][..]));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    names: Vec<String>,
    codes: Vec<usize>,
}

impl Labels {
    /// The classes are the distinct texts in alphabetical order.
    pub fn from_texts<S: AsRef<str>>(texts: &[S]) -> Self {
        let mut names: Vec<String> = texts.iter().map(|t| t.as_ref().to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        // Every text is among the names.
        let code = |t: &S| names.binary_search_by(|n| n.as_str().cmp(t.as_ref())).unwrap_or(0);
        Self { codes: texts.iter().map(code).collect(), names }
    }

    /// Texts among known `names`, for example those of a probe.
    ///
    /// # Errors
    /// [`LabelError::Unknown`].
    pub fn among<S: AsRef<str>>(names: &[String], texts: &[S]) -> Result<Self, LabelError> {
        let code = |(row, text): (usize, &S)| {
            let label = text.as_ref();
            names.iter().position(|n| n == label).ok_or_else(|| LabelError::Unknown {
                row,
                label: label.to_owned(),
                known: names.join(", "),
            })
        };
        let codes = texts.iter().enumerate().map(code).collect::<Result<_, _>>()?;
        Ok(Self { names: names.to_vec(), codes })
    }

    /// From numbers of classes (n) and the names of all classes (K).
    ///
    /// # Errors
    /// [`LabelError::Nameless`].
    pub fn new(names: Vec<String>, codes: Vec<usize>) -> Result<Self, LabelError> {
        match codes.iter().position(|&c| c >= names.len()) {
            Some(row) => Err(LabelError::Nameless { row, class: codes[row], classes: names.len() }),
            None => Ok(Self { names, codes }),
        }
    }

    /// The class of each row (n), below K.
    pub fn codes(&self) -> &[usize] {
        &self.codes
    }

    /// Names of the classes (K).
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// n.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.names.len()
    }

    /// Rows of each class (K).
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        self.codes.iter().for_each(|&c| counts[c] += 1);
        counts
    }

    /// The rows of one class, in order.
    pub fn rows_of(&self, class: usize) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.codes[i] == class).collect()
    }

    /// The labels of some rows.
    ///
    /// # Panics
    /// If one is not a row.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { names: self.names.clone(), codes: rows.iter().map(|&i| self.codes[i]).collect() }
    }

    /// Fails unless there are two classes or more, each with at least `least` rows.
    ///
    /// # Errors
    /// All but [`LabelError::Nameless`] and [`LabelError::Unknown`].
    pub fn expect_each(&self, least: usize) -> Result<(), LabelError> {
        let counts = self.counts();
        let name = |class: usize| self.names[class].clone();
        match counts.iter().filter(|&&c| c > 0).count() {
            0 => return Err(LabelError::Empty),
            1 => return Err(LabelError::OneClass { name: name(self.codes[0]) }),
            _ => {}
        }
        if let Some(class) = counts.iter().position(|&c| c == 0) {
            return Err(LabelError::Missing { name: name(class) });
        }
        match counts.iter().position(|&c| c < least) {
            Some(class) => Err(LabelError::TooFew { name: name(class), count: counts[class], least }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        let names = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            Labels::new(names(), vec![0, 2]).unwrap_err(),
            LabelError::Nameless { row: 1, class: 2, classes: 2 }
        );
        let unknown = Labels::among(&names(), &["b", "c"]).unwrap_err();
        assert!(unknown.to_string().contains("`c`, which is none of the known classes (a, b)"), "{unknown}");
        let expect = |codes: Vec<usize>, least| Labels::new(names(), codes).unwrap().expect_each(least);
        assert_eq!(expect(vec![], 1), Err(LabelError::Empty));
        assert_eq!(expect(vec![1, 1], 1), Err(LabelError::OneClass { name: "b".to_owned() }));
        assert_eq!(expect(vec![1, 0, 1], 2), Err(LabelError::TooFew { name: "a".to_owned(), count: 1, least: 2 }));
        assert_eq!(expect(vec![1, 0, 1], 1), Ok(()));
        let three = Labels::new([names(), vec!["c".to_owned()]].concat(), vec![0, 2]).unwrap();
        assert_eq!(three.expect_each(1), Err(LabelError::Missing { name: "b".to_owned() }));
    }

    #[test]
    fn rows_by_class() {
        let labels = Labels::among(&["y".to_owned(), "x".to_owned()], &["x", "y", "x"]).unwrap();
        assert_eq!((labels.codes(), labels.counts(), labels.rows_of(1)), (&[1, 0, 1][..], vec![1, 2], vec![0, 2]));
        assert_eq!(labels.select(&[2, 1]).codes(), [1, 0]);
    }
}
