use api::v1;
use switchboard::treatment::{Hears, Leg, LegTo, Role, Shape, Treatment, Wish};

/// A target set for the wire.
pub(crate) fn treatment(treatment: &Treatment) -> v1::Treatment {
    v1::Treatment {
        call_id: treatment.call.to_string(),
        revision: treatment.revision.0,
        shape: shape(treatment.shape).into(),
        hears: Some(hears(treatment.hears)),
        caller_role: role(treatment.caller).into(),
        legs: treatment.legs.iter().map(leg).collect(),
    }
}

fn shape(shape: Shape) -> v1::TreatmentShape {
    match shape {
        Shape::Queue => v1::TreatmentShape::Queue,
        Shape::Ring => v1::TreatmentShape::Ring,
        Shape::Connect => v1::TreatmentShape::Connect,
        Shape::Hold => v1::TreatmentShape::Hold,
        Shape::Divert => v1::TreatmentShape::Divert,
        Shape::Release => v1::TreatmentShape::Release,
    }
}

fn hears(hears: Hears) -> v1::Hearing {
    let (kind, prompt) = match hears {
        Hears::Music => (v1::HearingKind::Music, None),
        Hears::Prompt(prompt) => (v1::HearingKind::Prompt, Some(prompt)),
        Hears::Menu(prompt) => (v1::HearingKind::Menu, Some(prompt)),
        Hears::Silence => (v1::HearingKind::Silence, None),
    };
    v1::Hearing { kind: kind.into(), prompt_id: prompt.map(|p| p.to_string()).unwrap_or_default() }
}

fn role(role: Role) -> v1::LegRole {
    match role {
        Role::Talk => v1::LegRole::Talk,
        Role::Held => v1::LegRole::Held,
        Role::Listen => v1::LegRole::Listen,
        Role::Whisper => v1::LegRole::Whisper,
    }
}

fn leg(leg: &Leg) -> v1::TreatmentLeg {
    let to = match leg.to {
        LegTo::Operator(operator) => v1::treatment_leg::To::OperatorId(operator.to_string()),
        LegTo::Outside(destination) => v1::treatment_leg::To::DestinationId(destination.to_string()),
    };
    let wish = match leg.wish {
        Wish::Ring => v1::LegWish::Ring,
        Wish::Up => v1::LegWish::Up,
    };
    v1::TreatmentLeg {
        attempt: leg.attempt.0,
        to: Some(to),
        role: role(leg.role).into(),
        wish: wish.into(),
        press_one: leg.press_one,
    }
}
