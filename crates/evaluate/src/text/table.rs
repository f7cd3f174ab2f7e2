//! Tables in plain text.

use std::fmt;

/// Rows of cells; the first column is to the left, others to the right.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With its heading.
    pub fn new(head: &[&str]) -> Self {
        Table { rows: vec![head.iter().map(|&h| h.to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| self.rows.iter().filter_map(|r| r.get(c)).map(|x| x.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::from("  ");
            for (c, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let blanks = " ".repeat(width - cell.chars().count());
                match c {
                    0 => line += &format!("{cell}{blanks}"),
                    _ => line += &format!("   {blanks}{cell}"),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_the_script() {
        let mut table = Table::new(&["figure", "a"]);
        table.row(vec!["±".into(), "1.00 ± 0.01".into()]);
        table.row(vec!["long name".into(), "—".into()]);
        let lines: Vec<String> = table.to_string().lines().map(String::from).collect();
        assert_eq!(lines[0], "  figure                a");
        assert_eq!(lines[1], "  ±           1.00 ± 0.01");
        assert_eq!(lines[2], "  long name             —");
    }
}
