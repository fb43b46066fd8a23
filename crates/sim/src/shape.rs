//! The shape of a day: how many callers ring in at which hour, and on which line.
//!
//! Given how many first attempts a day has, the moments of a Poisson process whose rate follows the hours are so many
//! independent draws from the day's shape, in order. Within an hour the rate is constant.

use switchboard::id::LineId;
use switchboard::time::{SiteTime, Span};

use crate::chance::{Chance, Purpose};

/// First attempts of each hour of the day, out of a thousand: quiet nights, a morning that peaks with a tenth of the
/// day between nine and ten, a dip at noon, a lower afternoon, an evening that fades.
pub const HOURS: [u32; 24] =
    [8, 6, 5, 5, 6, 10, 20, 45, 90, 100, 98, 75, 48, 62, 80, 76, 62, 45, 38, 36, 32, 25, 16, 12];

/// How the calls of the hospital's day fall on its lines, out of 4,000: the switchboard takes more than 2,000, the
/// other five together nearly 2,000.
pub const LINES: [(&str, u32); 6] = [
    ("switchboard", 2_050),
    ("outpatient-1", 560),
    ("outpatient-2", 480),
    ("emergency", 420),
    ("duty", 250),
    ("comfort", 240),
];

const HOUR: u64 = 3_600_000_000;

/// When first attempts ring in and on which line, in order.
///
/// `midnight_ago` is how long after a midnight the run starts; `length` how long it lasts.
pub fn arrivals(
    chance: Chance,
    count: u32,
    start: SiteTime,
    midnight_ago: Span,
    length: Span,
    shares: &[(LineId, u32)],
) -> Vec<(SiteTime, LineId)> {
    let mut draw = chance.about(Purpose::Arrivals, 0, 0);
    let pieces = pieces(midnight_ago, length);
    let total: u64 = pieces.iter().map(|piece| piece.weight).sum();
    let mut moments: Vec<(SiteTime, LineId)> = (0..count)
        .filter_map(|_| {
            let offset = moment(&pieces, draw.below(total.max(1)));
            let line = shares.get(draw.weighted(shares.iter().map(|(_, share)| *share)))?.0;
            Some((start + offset, line))
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// A part of the run that lies within one hour of the day.
struct Piece {
    /// From the run's start.
    from: u64,
    /// Thousandths of a day's calls per hour.
    rate: u64,
    /// Rate × length.
    weight: u64,
}

fn pieces(midnight_ago: Span, length: Span) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < length.0 {
        let clock = midnight_ago.0 + from;
        let to = length.0.min(from + HOUR - clock % HOUR);
        let rate = u64::from(HOURS[(clock / HOUR % 24) as usize]);
        pieces.push(Piece { from, rate, weight: rate * (to - from) });
        from = to;
    }
    pieces
}

fn moment(pieces: &[Piece], mut place: u64) -> Span {
    for piece in pieces {
        match place.checked_sub(piece.weight) {
            Some(rest) => place = rest,
            None => return Span(piece.from + place / piece.rate.max(1)),
        }
    }
    Span::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_whole() {
        assert_eq!(HOURS.iter().sum::<u32>(), 1_000);
        assert_eq!(LINES.iter().map(|(_, share)| share).sum::<u32>(), 4_000);
    }

    #[test]
    fn a_morning_has_its_calls() {
        let line: LineId = "switchboard".parse().unwrap();
        let moments =
            arrivals(Chance::new(1), 10_000, SiteTime(0), Span::ZERO, Span(24 * HOUR), &[(line, 1)]);
        assert_eq!(moments.len(), 10_000);
        let peak = moments.iter().filter(|(at, _)| at.0 / HOUR == 9).count();
        assert!((900..1_100).contains(&peak), "{peak}");
        assert!(moments.is_sorted());
    }
}
