//! Why a call is where it is, or went where it went: its path, its ladder, and what stands between it and each operator.

use api::v1;
use serde::Serialize;
use switchboard::time::SiteTime;

use crate::lang::Lang;
use crate::office::answer::{self, Fact, Listed, good};
use crate::office::asking::Office;
use crate::office::fault::{Fault, Told};
use crate::office::length;
use crate::office::moment::{self, Moment};
use crate::office::reasons::{Reason, all_against};
use crate::office::said::{Said, said};
use crate::office::sheet::{Field, Head, Side, lines};
use crate::office::words::{self as word, Word};

use super::told::{self, Step};

/// What happened to a call and why, as programs read it.
#[derive(Debug, Serialize)]
struct Why {
    id: String,
    /// The last decision that counts, if a moment was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_seq: Option<u64>,
    path: Vec<Step>,
    /// None of a call that is over.
    #[serde(flatten)]
    explained: Option<Explained>,
}

/// Why a call is where it is.
#[derive(Debug, Serialize)]
struct Explained {
    line: String,
    state: Word,
    class: Word,
    plan_revision: u32,
    age_ms: u64,
    calls_ahead: u32,
    calls_ahead_on_line: u32,
    tiers: Vec<Tier>,
    candidates: Vec<Candidate>,
}

#[derive(Debug, Serialize)]
struct Tier {
    tier: u32,
    who: Option<Reason>,
    open: bool,
    when: Vec<Reason>,
    opens_at_us: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Candidate {
    operator: String,
    tier: Option<u32>,
    against: Vec<Reason>,
    missed: bool,
    declined: bool,
    idle_since_us: u64,
}

impl Listed for Why {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Explained {
    fn of(sent: &v1::ExplainCallResponse) -> Explained {
        let reasons = |sent: &[v1::ReasonCode]| sent.iter().map(Reason::of).collect();
        Explained {
            line: sent.line_id.clone(),
            state: word::call_state(sent.state()),
            class: word::class(sent.class()),
            plan_revision: sent.plan_revision,
            age_ms: sent.age_ms,
            calls_ahead: sent.calls_ahead,
            calls_ahead_on_line: sent.calls_ahead_on_line,
            tiers: sent
                .tiers
                .iter()
                .map(|tier| Tier {
                    tier: tier.tier,
                    who: tier.who.as_ref().map(Reason::of),
                    open: tier.open,
                    when: reasons(&tier.when),
                    opens_at_us: tier.opens_at_us,
                })
                .collect(),
            candidates: sent
                .candidates
                .iter()
                .map(|candidate| Candidate {
                    operator: candidate.operator_id.clone(),
                    tier: candidate.tier,
                    against: reasons(&candidate.against),
                    missed: candidate.missed,
                    declined: candidate.declined,
                    idle_since_us: candidate.idle_since_us,
                })
                .collect(),
        }
    }

    /// Of a call that somebody has: who, and that nobody else is asked. None of one that waits.
    fn taken(&self, with: Option<&str>) -> Option<Said> {
        let who = (with.unwrap_or("接线员"), with.unwrap_or("an operator"));
        Some(match self.state.code {
            "connected" | "held" => said(
                format!("由 {} 接听，不再派给别人。", who.0),
                format!("It was answered by {}, and nobody else is asked.", who.1),
            ),
            "connecting" => said(
                format!("{} 已接受，正在接通，不再派给别人。", who.0),
                format!("It was accepted by {} and is being connected; nobody else is asked.", who.1),
            ),
            "diverting" => said(
                "已转往外线，此间不派给接线员。",
                "It is with an outside number; no operator is asked meanwhile.",
            ),
            _ => return None,
        })
    }

    fn facts(&self, lang: Lang) -> Vec<Fact> {
        let age = length::words(lang, self.age_ms);
        let ahead = match lang {
            Lang::Zh => format!("{} 个，其中本线 {} 个", self.calls_ahead, self.calls_ahead_on_line),
            Lang::En => format!("{}, {} of them on its line", self.calls_ahead, self.calls_ahead_on_line),
        };
        vec![
            (said("热线", "line"), Field::new(&self.line)),
            (said("状态", "state"), Field::new(self.state.of(lang))),
            (said("优先级", "class"), Field::new(self.class.of(lang))),
            (said("时长", "age"), Field::new(age)),
            (said("排在前面", "calls ahead"), Field::new(ahead)),
            (said("方案版本", "plan revision"), Field::new(self.plan_revision)),
        ]
    }

    fn ladder(&self, lang: Lang, now: SiteTime) -> Vec<String> {
        let head = |zh: &str, en: &str, side| Head { name: lang.of(zh, en).to_owned(), side, whole: false };
        let heads = [
            head("级", "TIER", Side::Right),
            head("谁", "WHO", Side::Left),
            head("状态", "STATE", Side::Left),
            head("何时开放", "OPENS WHEN", Side::Left),
        ];
        let rows: Vec<Vec<Field>> = self.tiers.iter().map(|tier| tier.row(lang, now)).collect();
        lines(&heads, &rows, answer::width())
    }

    fn people(&self, lang: Lang, now: SiteTime) -> Vec<String> {
        let head = |zh: &str, en: &str, side, whole| Head { name: lang.of(zh, en).to_owned(), side, whole };
        let heads = [
            head("接线员", "OPERATOR", Side::Left, true),
            head("级", "TIER", Side::Right, false),
            head("为何派或不派", "WHY", Side::Left, false),
        ];
        let rows: Vec<Vec<Field>> = self.candidates.iter().map(|one| one.row(lang, now)).collect();
        lines(&heads, &rows, answer::width())
    }
}

impl Tier {
    fn row(&self, lang: Lang, now: SiteTime) -> Vec<Field> {
        let when: Vec<String> = self.when.iter().map(|reason| reason.when(lang)).collect();
        let mut opens = if self.tier == 0 {
            lang.of("一开始", "from the start").to_owned()
        } else {
            when.join(lang.of("，或", ", or "))
        };
        if let Some(at) = self.opens_at_us.filter(|_| !self.open) {
            let left = length::words(lang, SiteTime(at).since(now).0 / 1_000);
            opens.push_str(&match lang {
                Lang::Zh => format!("（{left}后）"),
                Lang::En => format!(" (in {left})"),
            });
        }
        let state = match self.open {
            true => Field::new(lang.of("已开放", "open")).styled(good()),
            false => Field::new(lang.of("未开放", "closed")),
        };
        let who = self.who.as_ref().map(|who| who.who(lang)).unwrap_or_default();
        vec![Field::new(self.tier + 1), Field::or_dash(who), state, Field::or_dash(opens)]
    }
}

impl Candidate {
    fn row(&self, lang: Lang, now: SiteTime) -> Vec<Field> {
        let mut why = match self.against.as_slice() {
            [] => {
                let idle = length::words(lang, now.since(SiteTime(self.idle_since_us)).0 / 1_000);
                match lang {
                    Lang::Zh => format!("可以派，已空闲 {idle}"),
                    Lang::En => format!("can be asked, idle for {idle}"),
                }
            }
            against => all_against(against, lang, now),
        };
        if self.missed {
            why.push_str(lang.of("；此来电曾振铃未接", "; let this call ring out before"));
        }
        if self.declined && self.against.iter().all(|reason| reason.code != "declined") {
            why.push_str(lang.of("；曾拒接此来电", "; said no to this call before"));
        }
        let tier = self.tier.map_or_else(|| "-".to_owned(), |tier| (tier + 1).to_string());
        let why = Field::new(why);
        let why = if self.against.is_empty() { why.styled(good()) } else { why };
        vec![Field::new(&self.operator), Field::new(tier), why]
    }
}

/// A moment, as the server takes it.
///
/// # Errors
/// When it is none, or has not come yet.
pub(in crate::office) fn named(at: &str) -> Told<v1::Moment> {
    use v1::moment::When;
    let when = match moment::moment("--at", at)? {
        Moment::Seq(seq) => When::Seq(seq),
        Moment::WallUs(wall_us) => When::WallUs(wall_us),
    };
    Ok(v1::Moment { when: Some(when) })
}

/// Tells what happened to a call, and why it is or was where it is.
pub(super) async fn tell(office: &Office, typed: &str, at: Option<&str>) -> Told<()> {
    let at = at.map(named).transpose()?;
    let id = office.any_call(typed).await?;
    let lang = office.lang();
    let path = office.send(v1::GetPathRequest { call_id: id.clone(), at_least: None }).await?;
    let mut item = Why { path: told::steps(&id, path, lang)?, id, as_of_seq: None, explained: None };
    let now = match at {
        Some(at) => item.as_of(office, at).await?,
        None => item.as_it_is(office).await?,
    };
    if office.answer.is_object() {
        return office.answer.one("call_why", &item);
    }
    let mut facts: Vec<Fact> = vec![(said("通话", "call"), Field::new(&item.id))];
    if let Some(seq) = item.as_of_seq {
        facts.push((said("截至决定", "as of decision"), Field::new(seq)));
    }
    let mut further = vec![String::new()];
    further.extend(told::table(&item.path, lang));
    let with = item.path.last().and_then(|step| step.with.as_deref());
    if let Some(explained) = &item.explained {
        facts.extend(explained.facts(lang));
        further.push(String::new());
        if let Some(words) = explained.taken(with) {
            further.push(words.of(lang).to_owned());
            office.answer.show("call_why", &item, &facts, &further)?;
            office.answer.clock(item.path.len());
            return Ok(());
        }
        further.extend(explained.ladder(lang, now));
        further.push(String::new());
        match explained.candidates.is_empty() {
            true => further.push(
                lang.of("已开放各级中没有任何接线员。", "There is nobody in the open tiers.").to_owned(),
            ),
            false => further.extend(explained.people(lang, now)),
        }
    }
    office.answer.show("call_why", &item, &facts, &further)?;
    office.answer.clock(item.path.len());
    Ok(())
}

impl Why {
    /// At this moment; of a call that is over, its path is all there is.
    async fn as_it_is(&mut self, office: &Office) -> Told<SiteTime> {
        let request = v1::ExplainCallRequest { call_id: self.id.clone(), at_least: None };
        match office.send(request).await {
            Ok(sent) => self.explained = Some(Explained::of(&sent)),
            Err(fault) if matches!(fault.code(), "UNKNOWN_CALL" | "CALL_CLOSED") => return Ok(SiteTime(0)),
            Err(fault) => return Err(fault),
        }
        match office.answer.is_object() {
            true => Ok(SiteTime(0)),
            false => Ok(SiteTime(office.board().await?.0.at_us)),
        }
    }

    /// As of a moment in the past.
    async fn as_of(&mut self, office: &Office, at: v1::Moment) -> Told<SiteTime> {
        let request = v1::ExplainPastCallRequest { call_id: self.id.clone(), moment: Some(at) };
        let sent = office.send(request).await.map_err(|fault| self.not_then(fault))?;
        let found = sent.found.unwrap_or_default();
        self.as_of_seq = Some(found.seq);
        self.explained = sent.explanation.as_ref().map(Explained::of);
        self.path.retain(|step| step.seq <= found.seq);
        Ok(SiteTime(found.at_us))
    }

    fn not_then(&self, fault: Fault) -> Fault {
        let (Some(first), Some(last)) = (self.path.first(), self.path.last()) else { return fault };
        if fault.code() != "CALL_NOT_OPEN_THEN" {
            return fault;
        }
        let (from, to) = (first.moment(), last.moment());
        fault.because(said(
            format!("关于它的决定：{from} 至 {to}"),
            format!("the decisions about it are from {from} to {to}"),
        ))
    }
}
