//! What a command leads to. One handler per command, by noun: each looks at everything first and refuses, or emits
//! events and cannot fail any more. Who gets the next call is not decided here: see `settle`.

mod arrivals;
mod callers;
mod closing;
mod desks;
mod duty;
mod gateways;
mod legs;
mod lines;
mod offers;
mod operators;
mod plans;
mod schedule;
mod site;
mod tick;
mod transfers;

pub(crate) use self::tick::Closings;
use crate::command::{Actor, Command, Input};
use crate::id::{CallId, GatewayId, OperatorId};
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};
use crate::time::{SiteTime, Span};

/// Closings, diverts, pauses and blocks last at least this long…
const LASTING_MIN: Span = Span::secs(60);
/// …and at most this long.
const LASTING_MAX: Span = Span::secs(30 * 86_400);

impl Switchboard {
    pub(crate) fn decide(&mut self, at: SiteTime, input: &Input) -> Decided {
        self.check_retired(input)?;
        match &input.command {
            Command::Tick => self.tick(at, input.actor),

            Command::Arrive(arrival) => self.arrive(gateway(input)?, arrival),
            Command::CallerHungUp { call } => self.caller_hung_up(gateway(input)?, *call),
            Command::Leg { call, attempt, fact } => self.leg(gateway(input)?, *call, *attempt, *fact),
            Command::Digit { call, attempt, digit } => self.digit(gateway(input)?, *call, *attempt, *digit),
            Command::PromptFinished { call } => self.prompt_finished(gateway(input)?, *call),
            Command::AttachGateway { incarnation, reaches, calls } => {
                self.attach_gateway(gateway(input)?, *incarnation, reaches.as_ref(), calls)
            }
            Command::LoseGateway { gateway, incarnation } => {
                self.lose_gateway(input.actor, *gateway, *incarnation)
            }
            Command::NotePhone { operator, busy } => {
                gateway(input)?;
                self.note_phone(*operator, *busy)
            }

            Command::AttachDesk { operator, desk } => {
                own(input, *operator)?;
                self.attach_desk(*operator, *desk)
            }
            Command::RenewDesk { operator, session } => {
                own(input, *operator)?;
                self.renew_desk(*operator, *session)
            }
            Command::DropDesk { operator, session } => self.drop_desk(input.actor, *operator, *session),
            Command::ConfirmDelivery { offer, session } => {
                self.confirm_delivery(desk(input)?, *offer, *session)
            }
            Command::Accept { offer, session } => self.accept(desk(input)?, *offer, *session),
            Command::Decline { offer, session, reason } => {
                self.decline(desk(input)?, *offer, *session, *reason)
            }
            Command::ConfirmMedia { offer, session } => self.confirm_media(desk(input)?, *offer, *session),
            Command::Hold { call } => self.hold(desk(input)?, *call),
            Command::Retrieve { call } => self.retrieve(desk(input)?, *call),
            Command::HangUp { call } => self.hang_up(desk(input)?, *call),
            Command::Transfer { call, to } => self.transfer(desk(input)?, *call, *to),
            Command::Consult { call, operator } => self.consult(desk(input)?, *call, *operator),
            Command::CompleteTransfer { call } => self.complete_transfer(desk(input)?, *call),
            Command::EndWrapUp { topic } => self.end_wrap_up(desk(input)?, *topic),
            Command::GoOnDuty { operator } => {
                own_or_office(input, *operator)?;
                self.go_on_duty(*operator)
            }
            Command::Pause { operator, reason, lasting } => {
                own_or_office(input, *operator)?;
                self.pause(*operator, *reason, *lasting)
            }
            Command::Resume { operator } => {
                own_or_office(input, *operator)?;
                self.resume(*operator)
            }
            Command::Leave { operator } => {
                own_or_office(input, *operator)?;
                self.leave(*operator)
            }
            Command::BlockCaller { call, reason, lasting } => {
                self.block_caller(input, *call, *reason, *lasting)
            }
            Command::UnblockCaller { caller } => {
                office(input)?;
                self.unblock_caller(*caller)
            }

            Command::DivertLine { line, destination, lasting } => {
                office(input)?;
                self.divert_line(*line, *destination, *lasting)
            }
            Command::OpenLine { line } => {
                office(input)?;
                self.open_line(*line)
            }
            Command::CloseLine { line, reason, lasting } => {
                office(input)?;
                self.close_line(*line, *reason, *lasting)
            }
            Command::MoveCall { call, to } => {
                office(input)?;
                self.move_call(*call, *to)
            }
            Command::ForceOperator { operator, to } => {
                office(input)?;
                self.force_operator(*operator, *to)
            }

            Command::AdoptPlan(adoption) => {
                admin(input)?;
                self.adopt_plan(adoption)
            }
            Command::ExtendSchedule { edges } => {
                if !matches!(input.actor, Actor::Clock | Actor::Admin(_)) {
                    return Err(Rejection::NotYours);
                }
                self.extend_schedule(edges)
            }
            Command::AddOperator { operator, profile } => {
                admin(input)?;
                self.add_operator(*operator, profile)
            }
            Command::ChangeOperator { operator, profile, expect } => {
                admin(input)?;
                self.change_profile(*operator, profile, expect)
            }
            Command::RemoveOperator { operator } => {
                admin(input)?;
                self.remove_operator(*operator)
            }
            Command::RetireSite => {
                admin(input)?;
                self.retire_site()
            }
        }
    }

    /// Why a call that is not open cannot be spoken about.
    fn no_open_call(&self, call: CallId) -> Rejection {
        if self.state.closed.contains_key(&call) { Rejection::CallClosed } else { Rejection::UnknownCall }
    }
}

fn gateway(input: &Input) -> Result<GatewayId, Rejection> {
    match input.actor {
        Actor::Gateway(gateway) => Ok(gateway),
        _ => Err(Rejection::NotYours),
    }
}

fn desk(input: &Input) -> Result<OperatorId, Rejection> {
    match input.actor {
        Actor::Operator(operator) => Ok(operator),
        _ => Err(Rejection::NotYours),
    }
}

fn own(input: &Input, operator: OperatorId) -> Result<(), Rejection> {
    if input.actor == Actor::Operator(operator) { Ok(()) } else { Err(Rejection::NotYours) }
}

fn office(input: &Input) -> Result<(), Rejection> {
    if input.is_staffed_by_office() { Ok(()) } else { Err(Rejection::NotYours) }
}

fn own_or_office(input: &Input, operator: OperatorId) -> Result<(), Rejection> {
    own(input, operator).or_else(|_| office(input))
}

fn admin(input: &Input) -> Result<(), Rejection> {
    if matches!(input.actor, Actor::Admin(_)) { Ok(()) } else { Err(Rejection::NotYours) }
}

fn lasting(span: Span) -> Result<Span, Rejection> {
    if (LASTING_MIN..=LASTING_MAX).contains(&span) { Ok(span) } else { Err(Rejection::BadDuration) }
}
