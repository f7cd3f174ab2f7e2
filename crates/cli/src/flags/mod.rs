//! Flags that several verbs share.

mod collection;
mod decoding;
mod model;
mod pairs;
mod reading;
mod writing;

pub use collection::{Side, TextsFlags, collection, sides};
pub use decoding::DecodingFlags;
pub use model::{ModelFlag, VectorsFlag};
pub use pairs::PairFlags;
pub use reading::{CorpusFlags, FormatFlag, ReadingFlags, RecordsFlags};
pub use writing::{Alone, WritingFlags};

/// Records worked on between two writes: large enough to be fast, small enough that output starts early.
pub const CHUNK: usize = 1024;

/// A whole number above 0.
pub fn at_least_one(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("not a whole number".into()),
    }
}

/// A number above 0.
pub fn positive(value: &str) -> Result<f64, String> {
    match value.parse() {
        Ok(x) if x > 0.0 && f64::is_finite(x) => Ok(x),
        Ok(_) => Err("must be above 0".into()),
        Err(_) => Err("not a number".into()),
    }
}

/// A number from 0 up.
pub fn not_negative(value: &str) -> Result<f32, String> {
    match value.parse() {
        Ok(x) if x >= 0.0 && f32::is_finite(x) => Ok(x),
        Ok(_) => Err("must be 0 or above".into()),
        Err(_) => Err("not a number".into()),
    }
}

/// A number from 0 to 1.
pub fn share(value: &str) -> Result<f64, String> {
    match value.parse() {
        Ok(x) if (0.0..=1.0).contains(&x) => Ok(x),
        Ok(_) => Err("must be between 0 and 1".into()),
        Err(_) => Err("not a number".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(at_least_one("12"), Ok(12));
        assert_eq!(positive("0.5"), Ok(0.5));
        assert_eq!(not_negative("0"), Ok(0.0));
        for bad in ["0", "-1", "", "x", "1.5"] {
            assert!(at_least_one(bad).is_err(), "{bad}");
        }
        for bad in ["0", "-1", "inf", "nan", "x"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
        for bad in ["-0.1", "inf", "nan", "x"] {
            assert!(not_negative(bad).is_err(), "{bad}");
        }
        assert_eq!((share("0"), share("1")), (Ok(0.0), Ok(1.0)));
        for bad in ["-0.1", "1.1", "nan", "x"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }
}
