//! Whose turn it is to let happen what is due, when several exchanges run one site: the last writer's at once, the others'
//! a little later, each in its turn. Nobody is elected: an append that comes second is lost as any other, and a writer
//! that died costs the others only the first step.

use std::collections::VecDeque;

use session::Writer;
use switchboard::time::Span;

/// How much later each further writer lets happen what is due.
const STEP: Span = Span::millis(50);

/// More writers than this are not told apart.
const WRITERS_MAX: usize = 8;

/// Who appended lately, the last first.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    recent: VecDeque<Writer>,
}

impl Turns {
    /// A row of this writer's is the last one.
    pub(crate) fn wrote(&mut self, writer: &Writer) {
        if self.recent.front() == Some(writer) {
            return;
        }
        self.recent.retain(|earlier| earlier != writer);
        self.recent.push_front(writer.clone());
        self.recent.truncate(WRITERS_MAX);
    }

    /// How long after it is due this writer lets something happen that nobody asked for.
    pub(crate) fn delay(&self, writer: &Writer) -> Span {
        let before = self.recent.iter().take_while(|earlier| *earlier != writer).count();
        Span(STEP.0 * before as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_writer_comes_first_and_a_stranger_last() {
        let [ana, ben, cleo] = ["ana", "ben", "cleo"].map(Writer::new);
        let mut turns = Turns::default();
        assert_eq!(turns.delay(&ana), Span::ZERO, "nobody wrote yet: whoever is first is first");
        turns.wrote(&ana);
        turns.wrote(&ben);
        assert_eq!(turns.delay(&ben), Span::ZERO);
        assert_eq!(turns.delay(&ana), STEP);
        assert_eq!(turns.delay(&cleo), Span(2 * STEP.0));
        turns.wrote(&ana);
        assert_eq!((turns.delay(&ana), turns.delay(&ben)), (Span::ZERO, STEP));
        for n in 0..20 {
            turns.wrote(&Writer::new(format!("writer-{n}")));
        }
        assert_eq!(turns.delay(&ana), Span(STEP.0 * WRITERS_MAX as u64), "however many there were");
    }
}
