//! Every sentence there is, in the order of the guide. A quiet one need not be named by a scenario's line.

/// A part of the vocabulary, under its heading in the guide: each sentence, and whether it is quiet.
pub(crate) type Section = (&'static str, &'static [(&'static str, bool)]);

const QUIET: bool = true;
const LOUD: bool = false;

/// The vocabulary.
pub(crate) const SECTIONS: [Section; 6] = [
    (
        "A call's passage",
        &[
            ("[<call> ]arrives on <line>[ (<skills>)]", QUIET),
            ("[<call> ]takes up the place of <time>", LOUD),
            ("[<call> ]moved to <line>[ (<cause>)]", LOUD),
            ("[<call> ]needs <skill>", LOUD),
            ("[<call> ]no longer held for <skill>", LOUD),
            ("<tier> open[ for <call>][ (<trigger>)]", LOUD),
            ("[<call> ]promised plan <number>", LOUD),
            ("[<call> ]no longer waits for one person", LOUD),
            ("[<call> ]hears the closing message[ until <time>]", LOUD),
            ("[<call> ]back in the queue[ from <operator>]", LOUD),
            ("[<call> ]diverted to <destination>[ until <time>][ (<sent-by>)]", LOUD),
            ("[<call> ]taken outside", LOUD),
            ("[<call> ]not taken outside", LOUD),
            ("[<call> ]closed: <outcome>[ (place kept until <time>)]", LOUD),
        ],
    ),
    (
        "Offers",
        &[
            ("[<call> ]offered to <operator>[ until <time>]", LOUD),
            ("[<call> ]handed on to <operator>[ until <time>]", LOUD),
            ("<operator> asked about <call>[ until <time>]", LOUD),
            ("[<call> ]reaches <operator>", QUIET),
            ("<operator> accepted[ <call>][, connects by <time>]", QUIET),
            ("<operator> declined[ <call>][ (<code>)]", LOUD),
            ("[<call> ]rang out at <operator>", QUIET),
            ("<operator> did not answer[ about <call>]", LOUD),
            ("[<call> ]never reached <operator>", LOUD),
            ("[<call> ]withdrawn from <operator>[ (<withdrawal>)]", LOUD),
            ("bridge to <operator> failed[ for <call>][ (<code>)]", LOUD),
            ("[<call> ]connected to <operator>", LOUD),
            ("[<call> ]on hold", LOUD),
            ("[<call> ]off hold", LOUD),
            ("<operator> talks about <call>", LOUD),
            ("<operator> no longer talks about <call>", LOUD),
            ("[<call> ]transferred to line <line>", LOUD),
            ("[<call> ]transferred to <operator>[ until <time>]", LOUD),
            ("[<call> ]handed over to <operator>", LOUD),
            ("<operator>'s strike taken back", LOUD),
        ],
    ),
    (
        "Operators",
        &[
            ("<operator> cools down[ until <time>]", LOUD),
            ("<operator> cooled down", QUIET),
            ("<operator> suspended[ after <number> misses]", LOUD),
            ("<operator> wraps up[ until <time>]", QUIET),
            ("<operator> done with the wrap-up[ (<code>)]", QUIET),
            ("<operator> on duty", LOUD),
            ("<operator> paused[ until <time>][ (<code>)]", LOUD),
            ("<operator> will pause[ until <time>][ (<code>)]", LOUD),
            ("<operator> back", LOUD),
            ("<operator> leaving", LOUD),
            ("<operator> off duty", LOUD),
            ("<operator>'s desk online[ (session <number>)]", LOUD),
            ("<operator>'s desk in grace[ until <time>]", LOUD),
            ("<operator>'s desk lost", LOUD),
            ("<operator> in an outside call", LOUD),
            ("<operator> off the outside call", LOUD),
            ("<operator> set idle", LOUD),
            ("<operator>'s shift begun[, ends at <time>]", LOUD),
            ("<operator>'s shift about to end[ (last on <lines>)]", LOUD),
            ("<operator>'s shift over", LOUD),
            ("<operator> added", LOUD),
            ("<operator> changed", LOUD),
            ("<operator> to be removed", LOUD),
            ("<operator> removed", LOUD),
        ],
    ),
    (
        "Lines, plans, callers, gateways, alarms",
        &[
            ("<line> opened", LOUD),
            ("<line> closed by its hours", LOUD),
            ("<line> closed by hand[ until <time>][ (<code>)]", LOUD),
            ("<line> open by its hours meanwhile", LOUD),
            ("<line> closed by its hours meanwhile", LOUD),
            ("<line> draining", LOUD),
            ("<line> gone", LOUD),
            ("<line> diverted to <destination>[ until <time>]", LOUD),
            ("<line>'s divert over", LOUD),
            ("plan <number> in force", LOUD),
            ("schedule set[ (<number> edges)]", LOUD),
            ("an edge of the schedule passed", QUIET),
            ("<call>'s caller blocked[ until <time>][ (<code>)]", LOUD),
            ("<call>'s caller no longer blocked", LOUD),
            ("gateway <gateway> attached[ (life <number>)]", LOUD),
            ("gateway <gateway> lost", LOUD),
            ("the site is retired", LOUD),
            ("alarm: nobody on duty on <line>", LOUD),
            ("alarm: <call> failed", LOUD),
            ("alarm: <operator> declined three times within an hour", LOUD),
            ("alarm: last operator of <line> leaving", LOUD),
        ],
    ),
    ("Answers and refusals", super::refusals::SENTENCES),
    ("Why", super::answers::SENTENCES),
];

/// All sentences.
pub(crate) fn sentences() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().flat_map(|(_, sentences)| sentences.iter().map(|(sentence, _)| *sentence))
}

/// Whether a line need not name a sentence.
pub(super) fn is_quiet(sentence: &str) -> bool {
    let known = SECTIONS.iter().flat_map(|(_, sentences)| *sentences).find(|(known, _)| *known == sentence);
    known.unwrap_or_else(|| panic!("not in the vocabulary: {sentence}")).1
}
