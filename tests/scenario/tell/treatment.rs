use switchboard::treatment::{Hears, Leg, LegTo, Role, Shape, Treatment, Wish};

use super::call_name;

/// What a caller should be experiencing, and which telephones should ring or be up, on one line of a transcript.
pub(crate) fn experienced(treatment: &Treatment) -> String {
    let call = call_name(treatment.call);
    let caller = match (treatment.shape, treatment.caller) {
        (Shape::Release, _) => format!("is let go{}", heard(treatment.hears, " after ")),
        (_, Role::Talk) => "is through".to_owned(),
        (Shape::Hold, _) => format!("holds, hears {}", hears(treatment.hears)),
        (_, _) => format!("hears {}", hears(treatment.hears)),
    };
    let legs: Vec<String> = treatment.legs.iter().map(leg).collect();
    let legs = if legs.is_empty() { String::new() } else { format!("; {}", legs.join(", ")) };
    format!("{call} {caller}{legs}")
}

fn heard(what: Hears, before: &str) -> String {
    if what == Hears::Silence { String::new() } else { format!("{before}{}", hears(what)) }
}

/// What a caller hears, in words.
pub(crate) fn hears(what: Hears) -> String {
    match what {
        Hears::Music => "music".to_owned(),
        Hears::Silence => "nothing".to_owned(),
        Hears::Prompt(prompt) => format!("the recording {prompt}"),
        Hears::Menu(prompt) => format!("the menu {prompt}"),
    }
}

fn leg(leg: &Leg) -> String {
    let to = match leg.to {
        LegTo::Operator(operator) => operator.to_string(),
        LegTo::Outside(destination) => format!("number {destination}"),
    };
    let wish = match (leg.wish, leg.role) {
        (Wish::Ring, _) if leg.press_one => "rings for key 1",
        (Wish::Ring, Role::Talk) => "rings, then through",
        (Wish::Ring, _) => "rings",
        (Wish::Up, Role::Talk) => "up",
        (Wish::Up, Role::Held) => "up, apart",
        (Wish::Up, Role::Listen | Role::Whisper) => "up, listens",
    };
    format!("{to} {wish}")
}
