//! The switchboard's own check, told in the words of the text: where a fault of the draft stands, and how to mend
//! it.

use switchboard::plan::{PlanDraft, PlanFault, PlanProblem, TITLE_CHARS_MAX, WhenClosed, Who};

use crate::finding::Fault;
use crate::read::{Places, humane};
use crate::source::{nearest, quoted};

/// The faults of a draft that are not consequences of something that could not be read.
pub(crate) fn explained(draft: &PlanDraft, places: &Places, faults: &[PlanFault]) -> Vec<Fault> {
    let names_itself = |circle: &PlanFault| {
        faults.iter().any(|other| other.problem == PlanProblem::OwnLine && other.path == circle.path)
    };
    let told = faults
        .iter()
        .filter(|fault| !is_consequence(places, fault))
        .filter(|fault| fault.problem != PlanProblem::Circle || !names_itself(fault));
    told.map(|fault| Teller { draft, places, fault, path: fault.path.join(".") }.tell()).collect()
}

fn is_consequence(places: &Places, fault: &PlanFault) -> bool {
    let unread_section = match &fault.problem {
        PlanProblem::NoLines => places.is_broken("lines"),
        PlanProblem::Unknown { what, .. } => places.is_broken(&format!("{what}s")),
        _ => false,
    };
    unread_section || places.is_broken(&fault.path.join("."))
}

struct Teller<'a> {
    draft: &'a PlanDraft,
    places: &'a Places,
    fault: &'a PlanFault,
    path: String,
}

impl Teller<'_> {
    fn tell(&self) -> Fault {
        let last = self.fault.path.last().map_or("", String::as_str);
        match &self.fault.problem {
            PlanProblem::NoLines => self.say("this plan has no line", "add one, as [lines.switchboard]"),
            PlanProblem::TooMany { what, max } => {
                self.say(format!("there are more than {max} {what}"), format!("keep at most {max}"))
            }
            PlanProblem::Unknown { what, name } => self.unknown(what, name),
            PlanProblem::OutOfRange { min, max } => {
                let (min, max) = (humane(min), humane(max));
                self.say(format!("'{}' must be from {min} to {max}", self.field_name()), "write a value between these")
            }
            PlanProblem::NoTiers => self.say(
                "a ladder begins with people",
                "let the first tier be { who = \"own\" } or a team; an outside number or the closing message comes later",
            ),
            PlanProblem::NeverOpens => self.say(
                "nothing opens this tier",
                "say when: { …, when = \"busy\" }, or \"wait 30s\", or \"empty\"",
            ),
            PlanProblem::AfterClosing => {
                self.say("nobody can come after the closing message", "move the tier with who = \"closing\" to the end")
            }
            PlanProblem::OwnLine => self.say(
                format!("this names line '{}' itself", self.line()),
                "name another line; a line's own operators are \"own\"",
            ),
            PlanProblem::Repeated => self.say("this tier stands twice", "keep one of the two; a tier stays open once it is"),
            PlanProblem::PromptMissing => self.prompt_missing(last),
            PlanProblem::WithoutPressOne => self.without_press_one(),
            PlanProblem::BadNumber => self.say(
                "this is not a number that can be dialled",
                "use digits, '-' and a leading '+', as \"021-5550-0100\"",
            ),
            PlanProblem::BadHours => self.say("these hours are not in order", "let one window end before the next begins"),
            PlanProblem::Circle => self.say(
                format!("callers sent on from line '{}' come back to it", self.line()),
                "let one of these lines end with \"message\" or \"outside:<destination>\"",
            ),
            PlanProblem::NumberTaken { by } => self.taken(by.as_str()),
            PlanProblem::EmergencyRefuses => {
                self.say("an emergency line refuses nobody", "remove 'max_waiting' from this line")
            }
            PlanProblem::BadText => self.say(
                "this text is empty, too long, or has characters that cannot be seen",
                format!("write 1 to {TITLE_CHARS_MAX} plain characters"),
            ),
            PlanProblem::BadKey => self.say("no telephone has this key", "use one of 0 to 9, \"*\" or \"#\""),
        }
    }

    fn say(&self, reason: impl Into<String>, mend: impl Into<String>) -> Fault {
        Fault::new(&self.path, self.places.of(&self.path), reason, mend)
    }

    fn line(&self) -> &str {
        self.fault.path.get(1).map_or("", String::as_str)
    }

    /// The last step of the path that is a name and not a place in a list.
    fn field_name(&self) -> &str {
        let steps = self.fault.path.iter().rev();
        steps.map(String::as_str).find(|step| step.parse::<usize>().is_err()).unwrap_or_default()
    }

    fn unknown(&self, what: &str, name: &str) -> Fault {
        let value = [format!("{}.value", self.path), format!("{}.{name}", self.path)];
        let span = value.iter().find_map(|path| self.places.exactly(path));
        let span = span.unwrap_or_else(|| self.places.of(&self.path));
        let known = self.names(what);
        let mend = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean '{meant}'?"),
            None if known.is_empty() => format!("this plan declares none; add one under [{what}s]"),
            None => {
                let some = known.iter().take(8).copied().collect::<Vec<_>>().join(", ");
                format!("declare it under [{what}s], or use one of: {some}")
            }
        };
        Fault::new(&self.path, span, format!("there is no {what} {} in this plan", quoted(name)), mend)
    }

    fn names(&self, what: &str) -> Vec<&str> {
        match what {
            "line" => self.draft.lines.keys().map(|id| id.as_str()).collect(),
            "team" => self.draft.teams.keys().map(|id| id.as_str()).collect(),
            "skill" => self.draft.skills.keys().map(|id| id.as_str()).collect(),
            "destination" => self.draft.destinations.keys().map(|id| id.as_str()).collect(),
            "prompt" => self.draft.prompts.keys().map(|id| id.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    fn prompt_missing(&self, prompt: &str) -> Fault {
        let when = match prompt {
            "closed" => "has hours, and no recording for callers outside them",
            "full" => "has max_waiting, and no recording for callers it refuses",
            "closing" => "has a closing tier, and no recording for it",
            _ => "moves staff callers, and has no menu for them",
        };
        let reason = format!("line '{}' {when}", self.line());
        self.say(
            reason,
            format!("add {prompt} = \"<prompt>\" to the line's prompts or to [defaults] prompts"),
        )
    }

    fn without_press_one(&self) -> Fault {
        let fault = self.say(
            "callers would be put through to a number without asking for key 1, so a machine could take them",
            match self.destination() {
                Some(id) => format!("add press_one = true under [destinations.{id}]"),
                None => "add press_one = true to the destination".to_owned(),
            },
        );
        match self.destination().and_then(|id| self.places.exactly(&format!("destinations.{id}"))) {
            Some(span) => fault.also(span, "this number"),
            None => fault,
        }
    }

    fn destination(&self) -> Option<&str> {
        let line = self.draft.lines.iter().find(|(id, _)| id.as_str() == self.line())?.1;
        if let Some(n) = self.fault.path.iter().skip_while(|s| *s != "tiers").nth(1) {
            let tier = line.tiers.get(n.parse::<usize>().ok()?)?;
            return match &tier.who {
                Who::Outside { destination, .. } => Some(destination.as_str()),
                _ => None,
            };
        }
        match &line.when_closed {
            WhenClosed::Divert(destination) => Some(destination.as_str()),
            WhenClosed::Message | WhenClosed::MoveTo(_) => None,
        }
    }

    fn taken(&self, by: &str) -> Fault {
        let reason = format!("this number is published for line '{by}' already");
        let fault = self.say(reason, "give each line its own number");
        match self.places.exactly(&format!("lines.{by}.numbers")) {
            Some(span) if by != self.line() => fault.also(span, "here"),
            _ => fault,
        }
    }
}
