use super::{Column, Comparison, Curve, Curves, Direction, Figure, Row, Scatter};

pub fn column_of(name: &str, better: Direction) -> Column {
    Column { name: name.into(), better, about: format!("What {name} is."), ..Column::default() }
}

pub fn row(name: &str, value: f64, spread: f64) -> Row {
    let figures = [("ppl", Figure::with_spread(value, spread)), ("bleu", Figure::new(100.0 - value))];
    Row {
        name: name.into(),
        figures: figures.into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
        reconstructions: vec![("a red kite".into(), format!("a {name} kite"))],
        way: vec![format!("half-way of {name}")],
        samples: vec![format!("a sample of {name}")],
        ..Row::default()
    }
}

pub fn comparison() -> Comparison {
    let mut rows = vec![row("ae", 40.0, 1.0), row("dae", 30.0, 1.0), row("vae", 31.5, 2.0), row("real", 10.0, 0.0)];
    rows[3].reference = true;
    Comparison {
        spread: "standard deviation over 3 seeds".into(),
        columns: vec![
            column_of("ppl", Direction::Lower),
            column_of("bleu", Direction::Higher),
            column_of("time", Direction::Neither),
        ],
        scatters: vec![
            Scatter { x: "ppl".into(), y: "bleu".into(), ..Scatter::default() },
            Scatter { x: "ppl".into(), y: "no such column".into(), ..Scatter::default() },
            Scatter { x: "ppl".into(), y: "time".into(), ..Scatter::default() },
        ],
        curves: vec![Curves {
            title: "reverse over T".into(),
            x: "T".into(),
            y: "ppl".into(),
            lines: rows.iter().map(|r| Curve { name: r.name.clone(), points: vec![(0.5, 1.0), (1.0, 2.0)] }).collect(),
            ..Curves::default()
        }],
        rows,
        ..Comparison::default()
    }
}
