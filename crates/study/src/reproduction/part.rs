//! The parts of a reproduction.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A part of the report, which can be made alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Table IV: all schemes, with energy, time and quality.
    Table4,
    /// Fig. 5: convergence (Q1) for several numbers K of networks.
    Fig5,
    /// Fig. 6: convergence for several learning rates.
    Fig6,
    /// Fig. 7: convergence for several sizes of the replay buffer.
    Fig7,
    /// Fig. 8: quality (Q2) for several K.
    Fig8,
    /// Fig. 9: quality for several learning rates.
    Fig9,
    /// Fig. 10: quality for several sizes of the replay buffer.
    Fig10,
    /// Fig. 11: quality before Algorithm 2 for several learning rates of Algorithm 1.
    Fig11,
    /// Fig. 12: quality over the steps of Algorithm 1.
    Fig12,
    /// Fig. 13: quality over the steps of Algorithm 2, with and without Algorithm 1.
    Fig13,
    /// Fig. 14: all schemes for several α.
    Fig14,
    /// One network with explored candidates compared with K networks (not in the paper).
    Candidates,
    /// Time of a decision against its quality (not in the paper).
    TradeOff,
    /// Fleets from one device to fifty (not in the paper).
    Fleets,
    /// The systems of Table I that decide task graphs, with their claims (not in the paper).
    Graphs,
    /// The systems of Table I that decide over time, with their claims (not in the paper).
    Stream,
}

impl Part {
    /// Every part, in the order of the report.
    pub const ALL: [Self; 16] = [
        Self::Table4,
        Self::Fig5,
        Self::Fig6,
        Self::Fig7,
        Self::Fig8,
        Self::Fig9,
        Self::Fig10,
        Self::Fig11,
        Self::Fig12,
        Self::Fig13,
        Self::Fig14,
        Self::Candidates,
        Self::TradeOff,
        Self::Fleets,
        Self::Graphs,
        Self::Stream,
    ];

    /// The name of the part in commands, files and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table4 => "table4",
            Self::Fig5 => "fig5",
            Self::Fig6 => "fig6",
            Self::Fig7 => "fig7",
            Self::Fig8 => "fig8",
            Self::Fig9 => "fig9",
            Self::Fig10 => "fig10",
            Self::Fig11 => "fig11",
            Self::Fig12 => "fig12",
            Self::Fig13 => "fig13",
            Self::Fig14 => "fig14",
            Self::Candidates => "candidates",
            Self::TradeOff => "tradeoff",
            Self::Fleets => "fleets",
            Self::Graphs => "graphs",
            Self::Stream => "stream",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Part {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || mrdro::Error::BadOption {
            option: "--only",
            text: text.to_owned(),
            wanted: "one of table4, fig5 to fig14, candidates, tradeoff, fleets, graphs, stream",
        };
        Ok(Self::ALL.into_iter().find(|part| part.name() == text).ok_or_else(unknown)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read_back_from_its_name() {
        for part in Part::ALL {
            assert_eq!(part.to_string().parse::<Part>().expect("it is a part"), part);
        }
        assert!("fig4".parse::<Part>().is_err());
    }
}
