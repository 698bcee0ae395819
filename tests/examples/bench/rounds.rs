//! Several contenders in turn, several times over.

use anyhow::Result;

/// One contender: its name, and what plays it once and says what it cost.
pub struct Contender<'a> {
    /// Who it is; `ours`, or a reference.
    pub name: &'static str,
    /// One value for each of the quantities.
    pub play: Box<dyn FnMut() -> Result<Vec<f64>> + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender.
    pub fn new(name: &'static str, play: impl FnMut() -> Result<Vec<f64>> + 'a) -> Self {
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
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// How many rounds are played.
#[must_use]
pub fn rounds() -> usize {
    let said = std::env::var("ROUNDS").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(7)
}

/// Plays all contenders in turn: `rounds` times, after one round that does not count. The order turns with each round, so that
/// nobody is always behind the same neighbour. For each quantity, each contender's series.
///
/// # Errors
/// The first that a contender has.
pub fn interleave(quantities: usize, mut contenders: Vec<Contender>) -> Result<Vec<Vec<Series>>> {
    let empty: Vec<Series> = contenders
        .iter()
        .map(|it| Series {
            name: it.name,
            values: Vec::new(),
        })
        .collect();
    let mut all = vec![empty; quantities];
    let count = contenders.len();
    for round in 0..=rounds() {
        for turn in 0..count {
            let at = (turn + round) % count;
            let values = (contenders[at].play)()?;
            if round == 0 {
                continue;
            }
            for (series, value) in all.iter_mut().zip(values) {
                series[at].values.push(value);
            }
        }
    }
    Ok(all)
}
