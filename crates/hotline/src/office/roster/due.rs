//! Who is on shift, or about to be, and whether they are there.

use std::process::ExitCode;

use api::v1;
use serde::Serialize;

use crate::office::answer::{Listed, bad, fair, good, words};
use crate::office::asking::Office;
use crate::office::fault::Told;
use crate::office::sheet::Field;
use crate::office::words::{self as word, Word};
use crate::office::{length, moment, said};

/// Somebody who is due, or there without a shift, as programs read it.
#[derive(Debug, Serialize)]
struct Due {
    id: String,
    attendance: Word,
    /// None of somebody who was never added.
    duty: Option<Word>,
    shift: Option<String>,
    from_wall_us: Option<i64>,
    to_wall_us: Option<i64>,
}

impl Listed for Due {
    fn id(&self) -> &str {
        &self.id
    }
}

impl From<v1::DueOperator> for Due {
    fn from(sent: v1::DueOperator) -> Due {
        let (attendance, duty) = (sent.attendance(), sent.duty.map(|duty| duty.state()));
        let is_leaving = attendance == v1::Attendance::Present && duty == Some(v1::DutyState::Leaving);
        Due {
            attendance: if is_leaving { word::LEAVING } else { word::attendance(attendance) },
            duty: duty.map(word::duty),
            id: sent.operator_id,
            shift: Some(sent.shift_id),
            from_wall_us: Some(sent.from_wall_us),
            to_wall_us: Some(sent.to_wall_us),
        }
    }
}

impl Due {
    /// Not off duty, and not on shift: most often because the shift ended during a call.
    fn extra(sent: v1::ExtraOperator) -> Due {
        let duty = sent.duty.map(|duty| duty.state());
        let is_leaving = duty == Some(v1::DutyState::Leaving);
        Due {
            id: sent.operator_id,
            attendance: if is_leaving { word::LEAVING } else { word::EXTRA },
            duty: duty.map(word::duty),
            shift: None,
            from_wall_us: None,
            to_wall_us: None,
        }
    }

    fn at(wall_us: Option<i64>) -> Field {
        Field::or_dash(wall_us.map(moment::shown).unwrap_or_default())
    }
}

/// Lists them by the beginning of their shifts, then those who are there without one.
pub(super) async fn list(office: &Office, ahead: Option<&str>) -> Told<ExitCode> {
    let ahead_ms = ahead.map_or(Ok(0), |ahead| length::milliseconds("--ahead", ahead))?;
    let sent = office.send(v1::ListDueRequest { ahead_ms }).await?;
    if sent.revision == 0 {
        office.answer.chat(&said::said("还没有排班表", "there is no roster yet"));
    }
    let due = sent.due.into_iter().map(Due::from);
    let items: Vec<Due> = due.chain(sent.extra.into_iter().map(Due::extra)).collect();
    let columns = [
        words("接线员", "OPERATOR", |one: &Due, _| Field::new(&one.id)).whole(),
        words("班次", "SHIFT", |one, _| Field::or_dash(one.shift.as_deref().unwrap_or_default())),
        words("开始", "FROM", |one: &Due, _| Due::at(one.from_wall_us)),
        words("结束", "TO", |one: &Due, _| Due::at(one.to_wall_us)),
        words("到岗", "ATTENDANCE", |one: &Due, lang| {
            Field::new(one.attendance.of(lang)).styled(match one.attendance.code {
                "present" => good(),
                "absent" | "unknown" => bad(),
                _ => fair(),
            })
        }),
        words("状态", "DUTY", |one: &Due, lang| Field::or_dash(one.duty.map_or("", |duty| duty.of(lang))))
            .wide(),
    ];
    office.answer.list("due", &items, None, &columns)?;
    office.answer.clock(items.iter().filter(|one| one.from_wall_us.is_some()).count());
    Ok(ExitCode::SUCCESS)
}
