//! Several contenders in turn, several times over.

use anyhow::Result;

/// Which round it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// The first one, which does not count: it may be played with less.
    WarmUp,
    /// One that counts.
    Counts,
}

/// One contender: its name, and what plays it once and says what it cost.
pub struct Contender<'a> {
    /// Who it is; [`OURS`], or a reference.
    pub name: &'static str,
    /// One value for each of the quantities.
    pub play: Box<dyn FnMut(Round) -> Result<Vec<f64>> + 'a>,
}

/// The contender that everything is about.
pub const OURS: &str = "ours";

impl<'a> Contender<'a> {
    /// A contender.
    pub fn new(name: &'static str, mut play: impl FnMut() -> Result<Vec<f64>> + 'a) -> Self {
        Self::with_warm_up(name, move |_| play())
    }

    /// A contender whose warm-up is smaller than its rounds.
    pub fn with_warm_up(
        name: &'static str,
        play: impl FnMut(Round) -> Result<Vec<f64>> + 'a,
    ) -> Self {
        Self {
            name,
            play: Box::new(play),
        }
    }
}

/// What one contender's rounds gave, for one quantity.
#[derive(Debug, Clone)]
pub struct Series {
    /// The contender.
    pub name: &'static str,
    /// Each round's value, in order.
    pub values: Vec<f64>,
}

impl Series {
    /// The middle one.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
            (Some(below), Some(above)) if sorted.len().is_multiple_of(2) => (below + above) / 2.0,
            (_, Some(it)) => *it,
            _ => f64::NAN,
        }
    }
}

/// Plays all contenders in turn: `rounds` times, after one round that does not count. The order turns with each round, so that
/// nobody is always behind the same neighbour. For each quantity, each contender's series.
///
/// # Errors
/// The first that a contender has.
pub fn interleave(
    rounds: usize,
    quantities: usize,
    mut contenders: Vec<Contender>,
) -> Result<Vec<Vec<Series>>> {
    let empty: Vec<Series> = contenders
        .iter()
        .map(|it| Series {
            name: it.name,
            values: Vec::new(),
        })
        .collect();
    let mut all = vec![empty; quantities];
    let count = contenders.len();
    for round in 0..=rounds {
        for turn in 0..count {
            let at = (turn + round) % count;
            let Some(contender) = contenders.get_mut(at) else {
                continue;
            };
            if round == 0 {
                (contender.play)(Round::WarmUp)?;
                continue;
            }
            let values = (contender.play)(Round::Counts)?;
            for (series, value) in all.iter_mut().zip(values) {
                if let Some(series) = series.get_mut(at) {
                    series.values.push(value);
                }
            }
        }
    }
    Ok(all)
}
