//! What a number should be, and whether it is.

use crate::rounds::{OURS, Series};

/// What the issue of a row asks for; numbers are in the row's unit.
#[derive(Debug, Clone, Copy)]
pub enum Aim {
    /// It is only shown.
    None,
    /// Ours is no more than this.
    AtMost(f64),
    /// Ours is no more than so many times the reference.
    AtMostTimes(f64, &'static str),
    /// Ours is no less than so many times the reference.
    AtLeastTimes(f64, &'static str),
    /// Ours is no more than so much above the reference.
    AtMostAbove(f64, &'static str),
}

impl Aim {
    /// In words.
    #[must_use]
    pub fn text(self, unit: &str) -> String {
        match self {
            Self::None => "–".to_owned(),
            Self::AtMost(limit) => format!("≤ {limit} {unit}").trim_end().to_owned(),
            Self::AtMostTimes(times, reference) => format!("≤ {times:.2} × {reference}"),
            Self::AtLeastTimes(times, reference) => format!("≥ {times:.2} × {reference}"),
            Self::AtMostAbove(more, reference) => format!("≤ {reference} + {more} {unit}"),
        }
    }

    /// Whether the medians meet it; `None` when there is nothing to meet, or nothing was measured.
    #[must_use]
    pub fn is_met(self, series: &[Series]) -> Option<bool> {
        let median = |name: &str| {
            let found = series.iter().find(|it| it.name == name)?;
            Some(found.median()).filter(|it| it.is_finite())
        };
        let ours = median(OURS)?;
        match self {
            Self::None => None,
            Self::AtMost(limit) => Some(ours <= limit),
            Self::AtMostTimes(times, reference) => Some(ours <= times * median(reference)?),
            Self::AtLeastTimes(times, reference) => Some(ours >= times * median(reference)?),
            Self::AtMostAbove(more, reference) => Some(ours <= median(reference)? + more),
        }
    }
}
