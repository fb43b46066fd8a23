//! The shape of the files: every table and every field they may have. The readers refuse what is not here;
//! `docs/plan.md` and `docs/roster.md` document what is.

/// A table of the file and the fields it may have.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// Its header, with `<id>` where a name of the writer's choosing stands.
    pub name: &'static str,
    /// The fields.
    pub fields: &'static [&'static str],
}

/// The top of the file.
pub const PLAN: Section = Section {
    name: "top of the file",
    fields: &["time_zone", "defaults", "lines", "teams", "skills", "destinations", "prompts", "timers"],
};

/// What a line does not say itself.
pub const DEFAULTS: Section = Section {
    name: "defaults",
    fields: &[
        "hours",
        "when_closed",
        "boost",
        "ring",
        "ring_at_once",
        "wrap_up",
        "guard",
        "resume_redial",
        "tiers",
        "prompts",
    ],
};

/// A line.
pub const LINE: Section = Section {
    name: "lines.<id>",
    fields: &[
        "title",
        "class",
        "numbers",
        "hours",
        "when_closed",
        "boost",
        "ring",
        "ring_at_once",
        "wrap_up",
        "max_waiting",
        "guard",
        "resume_redial",
        "requires",
        "prefers",
        "skill_keys",
        "staff_to",
        "tiers",
        "prompts",
    ],
};

/// One tier of a line.
pub const TIER: Section = Section { name: "tiers", fields: &["who", "when", "ring"] };

/// A preferred skill of a line.
pub const PREFERENCE: Section = Section { name: "prefers", fields: &["skill", "hold"] };

/// Which recordings a line plays.
pub const LINE_PROMPTS: Section = Section {
    name: "lines.<id>.prompts",
    fields: &["greeting", "closed", "full", "closing", "blocked", "staff_menu"],
};

/// A text in both languages.
pub const TITLE: Section = Section { name: "title", fields: &["zh", "en"] };

/// A team.
pub const TEAM: Section = Section { name: "teams.<id>", fields: &["title"] };

/// One of the hospital's own numbers.
pub const DESTINATION: Section =
    Section { name: "destinations.<id>", fields: &["title", "number", "press_one"] };

/// A recording.
pub const PROMPT: Section = Section { name: "prompts.<id>", fields: &["says", "length_max"] };

/// The site's timers.
pub const TIMERS: Section = Section {
    name: "timers",
    fields: &[
        "deliver_by",
        "connect_by",
        "pick_up_min",
        "cool_down",
        "misses_to_suspend",
        "reload",
        "grace",
        "redial",
        "transfer",
        "shift_end",
        "block",
    ],
};

/// The top of a roster.
pub const ROSTER: Section =
    Section { name: "top of the file", fields: &["time_zone", "shifts", "weekly", "holidays", "exceptions"] };

/// A named shift.
pub const SHIFT: Section = Section { name: "shifts.<id>", fields: &["title", "from", "to"] };

/// Dates with a pattern of their own.
pub const HOLIDAY: Section = Section { name: "holidays", fields: &["date", "title", "like", "on"] };

/// Dates on which some people are off or on.
pub const EXCEPTION: Section = Section { name: "exceptions", fields: &["date", "off", "on"] };

/// All of a roster, in the order of its reference page. `weekly` has only names of the writer's choosing.
pub const ROSTER_SECTIONS: &[&Section] = &[&ROSTER, &SHIFT, &HOLIDAY, &EXCEPTION];

/// All of a plan, in the order of its reference page.
pub const SECTIONS: &[&Section] = &[
    &PLAN,
    &DEFAULTS,
    &LINE,
    &TIER,
    &PREFERENCE,
    &LINE_PROMPTS,
    &TITLE,
    &TEAM,
    &DESTINATION,
    &PROMPT,
    &TIMERS,
];
