//! Ranges of scores and of members.

/// An end of a range of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreBound {
    /// The score.
    pub score: f64,
    /// Whether the score itself is left out.
    pub exclusive: bool,
}

/// A range of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRange {
    /// Its lower end.
    pub min: ScoreBound,
    /// Its upper end.
    pub max: ScoreBound,
}

impl ScoreRange {
    /// From one score to below another.
    pub fn below(min: f64, max: f64) -> ScoreRange {
        ScoreRange {
            min: ScoreBound {
                score: min,
                exclusive: false,
            },
            max: ScoreBound {
                score: max,
                exclusive: true,
            },
        }
    }

    /// Whether a score lies before the range.
    pub fn is_below(&self, score: f64) -> bool {
        score < self.min.score || (self.min.exclusive && score == self.min.score)
    }

    /// Whether a score lies behind the range.
    pub fn is_above(&self, score: f64) -> bool {
        score > self.max.score || (self.max.exclusive && score == self.max.score)
    }
}

/// An end of a range of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Before every byte string: `-`.
    Lowest,
    /// Behind every byte string: `+`.
    Highest,
    /// This one and what lies within: `[`.
    Inclusive(&'a [u8]),
    /// What lies within, without this one: `(`.
    Exclusive(&'a [u8]),
}

impl<'a> LexBound<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            LexBound::Lowest | LexBound::Highest => &[],
            LexBound::Inclusive(bytes) | LexBound::Exclusive(bytes) => bytes,
        }
    }
}

/// A range of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LexRange<'a> {
    /// Its lower end.
    pub min: LexBound<'a>,
    /// Its upper end.
    pub max: LexBound<'a>,
}

impl LexRange<'_> {
    /// Whether a member lies before the range.
    pub fn is_below(&self, member: &[u8]) -> bool {
        match self.min {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Inclusive(min) => member < min,
            LexBound::Exclusive(min) => member <= min,
        }
    }

    /// Whether a member lies behind the range.
    pub fn is_above(&self, member: &[u8]) -> bool {
        match self.max {
            LexBound::Lowest => true,
            LexBound::Highest => false,
            LexBound::Inclusive(max) => member > max,
            LexBound::Exclusive(max) => member >= max,
        }
    }

    /// Whether nothing can lie within.
    pub fn is_empty(&self) -> bool {
        match (self.min, self.max) {
            (LexBound::Highest, _) | (_, LexBound::Lowest) => true,
            (LexBound::Lowest, _) | (_, LexBound::Highest) => false,
            (LexBound::Inclusive(min), LexBound::Inclusive(max)) => min > max,
            (min, max) => min.bytes() >= max.bytes(),
        }
    }
}
