//! The tiers of a line: who, and when.

use std::str::FromStr;

use switchboard::id::NameFault;
use switchboard::plan::{Tier, Trigger, Who};
use switchboard::time::Span;
use toml::de::DeValue;

use super::Reading;
use super::line::placeholder;
use super::units::{LengthFault, length};
use super::value::{Entry, Table};
use crate::schema;
use crate::source::{nearest, quoted};

/// How long an outside number rings when the plan does not say.
const RING_OUTSIDE: Span = Span::secs(30);

const WHO: &str = "who is \"own\", \"team:<team>\", \"line:<line>\", \"other-lines\", \"outside:<destination>\" \
                   or \"closing\"";
const WHEN: &str = "when is any of \"busy\", \"empty\", \"wait 30s\", \"depth 5\" and \"missed 2\"";

impl Reading {
    pub(super) fn tiers(&mut self, entry: &Entry<'_>) -> Vec<Tier> {
        let items = self.list(entry, "[ { who = \"own\" }, … ]");
        items.iter().enumerate().map(|(n, item)| self.tier(n, item)).collect()
    }

    fn tier(&mut self, n: usize, item: &Entry<'_>) -> Tier {
        let Some(table) = self.table(item, &schema::TIER) else {
            return Tier { who: Who::Team(placeholder(n)), when: Vec::new() };
        };
        let who = self.required(&table, "who", "\"own\"").and_then(|e| self.who(&e));
        let ring = self.tier_ring(&table, who);
        let who = match who {
            Some(Who::Outside { destination, .. }) => Who::Outside { destination, ring },
            Some(who) => who,
            None => Who::Team(placeholder(n)),
        };
        let when = match self.field(&table, "when") {
            Some(entry) if n == 0 => {
                let reason = "the first tier is open from the start";
                self.fault(&entry.path, entry.span(), reason, "remove 'when' from the first tier");
                Vec::new()
            }
            Some(entry) => self.when(&entry),
            None => Vec::new(),
        };
        Tier { who, when }
    }

    fn tier_ring(&mut self, table: &Table<'_>, who: Option<Who>) -> Span {
        let Some(entry) = self.field(table, "ring") else { return RING_OUTSIDE };
        self.places.put(&format!("{}.ring", table.path_of("who")), entry.span());
        if who.is_some_and(|who| !matches!(who, Who::Outside { .. })) {
            let reason = "only an outside number rings for a time of its own";
            let mend = "remove it; how long operators' phones ring is the line's 'ring'";
            self.fault(&entry.path, entry.span(), reason, mend);
            return RING_OUTSIDE;
        }
        self.span(&entry).unwrap_or(RING_OUTSIDE)
    }

    fn who(&mut self, entry: &Entry<'_>) -> Option<Who> {
        let text = self.text(entry, "\"own\"")?;
        let who = match (text, text.split_once(':')) {
            ("own", _) => Some(Who::Own),
            ("other-lines", _) => Some(Who::OtherLines),
            ("closing", _) => Some(Who::Closing),
            (_, Some(("team", id))) => return self.named(entry, id).map(Who::Team),
            (_, Some(("line", id))) => return self.named(entry, id).map(Who::Line),
            (_, Some(("outside", id))) => {
                let ring = RING_OUTSIDE;
                return self.named(entry, id).map(|destination| Who::Outside { destination, ring });
            }
            _ => None,
        };
        if who.is_none() {
            let mend = self.who_meant(text);
            self.fault(&entry.path, entry.span(), format!("{} is nobody", quoted(text)), mend);
        }
        who
    }

    fn named<I: FromStr<Err = NameFault>>(&mut self, entry: &Entry<'_>, id: &str) -> Option<I> {
        self.id_in(&entry.path, entry.span(), id.trim())
    }

    fn who_meant(&self, text: &str) -> String {
        let bare = text.rsplit_once(':').map_or(text, |(_, id)| id);
        let teams = self.draft.teams.keys().map(|id| format!("team:{id}"));
        let numbers = self.draft.destinations.keys().map(|id| format!("outside:{id}"));
        let full: Vec<String> = teams.chain(numbers).collect();
        let fixed = ["own", "other-lines", "closing"];
        let id_of = |who: &&String| who.split_once(':').map_or("", |(_, id)| id) == bare;
        let by_name = full.iter().find(id_of).map(String::as_str);
        let whole = || nearest(text, fixed.into_iter().chain(full.iter().map(String::as_str)));
        let by_part = || {
            let ids = full.iter().filter_map(|who| who.split_once(':')).map(|(_, id)| id);
            let id = nearest(bare, ids)?;
            full.iter().find(|who| who.ends_with(&format!(":{id}"))).map(String::as_str)
        };
        let meant = by_name.or_else(whole).or_else(by_part);
        match meant {
            Some(who) => format!("did you mean \"{who}\"?"),
            None => WHO.to_owned(),
        }
    }

    fn when(&mut self, entry: &Entry<'_>) -> Vec<Trigger> {
        if !matches!(entry.value.get_ref(), DeValue::Array(_)) {
            return self.trigger(entry).into_iter().collect();
        }
        let mut triggers = Vec::new();
        for item in self.list(entry, "[\"busy\", \"wait 10s\"]") {
            let Some(trigger) = self.trigger(&item) else {
                self.places.mark_broken(&entry.path);
                continue;
            };
            if triggers.contains(&trigger) {
                self.fault(&item.path, item.span(), "this stands twice", "keep one of them");
            }
            triggers.push(trigger);
        }
        triggers
    }

    fn trigger(&mut self, entry: &Entry<'_>) -> Option<Trigger> {
        let text = self.text(entry, "\"busy\"")?;
        match trigger(text) {
            Ok(trigger) => Some(trigger),
            Err(LengthFault { reason, mend }) => {
                self.fault(&entry.path, entry.span(), reason, mend);
                None
            }
        }
    }
}

fn trigger(text: &str) -> Result<Trigger, LengthFault> {
    let (word, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    match (word, rest) {
        ("busy", "") => Ok(Trigger::Busy),
        ("empty", "") => Ok(Trigger::Empty),
        ("wait", _) => length(rest).map(Trigger::Wait),
        ("depth", _) => whole(rest, "depth 5").map(Trigger::Depth),
        ("missed", _) => whole(rest, "missed 2").map(Trigger::Missed),
        _ => {
            let words = ["busy", "empty", "wait", "depth", "missed"];
            let aliases = [("after", "wait"), ("full", "busy"), ("nobody", "empty"), ("misses", "missed")];
            let alias = aliases.iter().find(|(other, _)| *other == word).map(|(_, word)| *word);
            let mend = match alias.or_else(|| nearest(word, words)) {
                Some("wait") => "did you mean \"wait 30s\"?".to_owned(),
                Some("depth") => "did you mean \"depth 5\"?".to_owned(),
                Some("missed") => "did you mean \"missed 2\"?".to_owned(),
                Some(word) => format!("did you mean \"{word}\"?"),
                None => WHEN.to_owned(),
            };
            Err(LengthFault { reason: format!("{} opens no tier", quoted(text)), mend })
        }
    }
}

fn whole(text: &str, example: &str) -> Result<u32, LengthFault> {
    text.parse().map_err(|_| LengthFault {
        reason: format!("{} is not a whole number", quoted(text)),
        mend: format!("write it as \"{example}\""),
    })
}
