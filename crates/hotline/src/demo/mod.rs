//! `hotline demo`: a hospital's day, played through the service over gRPC. The service runs as a child process on a
//! stepped clock; this process is its gateway, its desks, its administrator, and the one who looks at the board; asked
//! to, it also kills the service now and then, and starts it again.
//!
//! Read `day.rs` first: it is the loop. `wire.rs` is what connects it to the service, `record.rs` what the service's
//! record says of the day, `check.rs` whether that is true.

mod asking;
mod board;
mod check;
mod day;
mod fault;
mod figures;
mod flags;
mod hearing;
mod json;
mod killing;
mod lives;
mod record;
mod report;
mod screen;
mod seen;
mod server;
mod service;
mod supervisor;
mod wire;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use sim::world::{World, WorldConfig};
use tokio::runtime::Builder;
use tokio::signal::ctrl_c;

use self::asking::Askers;
use self::check::{Testimony, verdict};
use self::day::Day;
use self::fault::DemoFault;
pub(crate) use self::flags::DemoFlags;
use self::flags::Output;
use self::killing::Killer;
use self::lives::OnDisk;
use self::report::{Played, Report};
use self::screen::Screen;
use self::server::{Doors, House};
use self::service::Service;
use self::supervisor::Supervisor;
use self::wire::Wire;
use crate::chinese::told;
use crate::lang::{self, Lang};

/// Exit codes beside 0, as the help of the flags lists them.
const NOT_BALANCED: u8 = 1;
const WRONG_FLAGS: u8 = 2;
const NOT_PLAYED: u8 = 3;
const INTERRUPTED: u8 = 130;

/// Plays the day and says how it went, in the exit code, too. Must not be called from within an async runtime: it has
/// its own, of one thread, so that nothing in this process happens beside anything else.
pub(crate) fn run(flags: &DemoFlags) -> ExitCode {
    let fault = match try_run(flags) {
        Ok(code) => return code,
        Err(fault) => fault,
    };
    // Where even this cannot be written the exit code is all there is to say.
    let lang = flags.lang.unwrap_or_else(Lang::of_environment);
    drop(eprint_line(&format!("{}{}", lang.of("错误：", "error: "), told(lang, &fault))));
    ExitCode::from(if matches!(fault, DemoFault::TooManyCalls { .. }) { WRONG_FLAGS } else { NOT_PLAYED })
}

fn try_run(flags: &DemoFlags) -> Result<ExitCode, DemoFault> {
    flags.first_attempts().map_err(|calls| DemoFault::TooManyCalls { calls })?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(DemoFault::machine("starting the runtime"))?;
    runtime.block_on(play(flags))
}

async fn play(flags: &DemoFlags) -> Result<ExitCode, DemoFault> {
    let started = Instant::now();
    let lang = flags.lang.unwrap_or_else(Lang::of_environment);
    let mut house = House::build(flags.seed, flags.kill.is_some())?;
    let process = house.start().await?;
    let doors = house.doors()?;
    let supervisor = Supervisor::of(house, process);
    let callers = flags.calls.saturating_mul(flags.surge);
    let killer = flags.kill.map(|deaths| Killer::new(flags.seed, deaths, callers));
    let service = Service::new(supervisor.line(), killer);
    let played = tokio::select! {
        played = whole_day(&doors, service, flags, lang) => played,
        _ = ctrl_c() => {
            supervisor.end().await;
            eprint_line(lang.of("已中断。", "Interrupted."))?;
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    let house = supervisor.end().await;
    let mut report = played?;
    if let Some(data) = house.as_ref().and_then(House::data) {
        report.on_disk = Some(OnDisk::read(&data, &report.figures.ledger, lang).await);
    }
    let report = Report::of(report);
    let seconds = started.elapsed().as_secs_f64();
    eprint_line(&match lang {
        Lang::Zh => format!("\n用时 {seconds:.1} 秒，步速 {}。", flags.pace),
        Lang::En => format!("\nPlayed in {seconds:.1} s at pace {}.", flags.pace),
    })?;
    tell(&report, flags.output, lang)?;
    let balanced = report.verdict.is_balanced();
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::from(NOT_BALANCED) })
}

fn askers(doors: &Doors, seed: u64) -> Result<Askers, DemoFault> {
    let gateway = doors.client("gateway")?;
    let supervisor = doors.client("supervisor")?;
    let admin = doors.client("admin")?;
    Ok(Askers::new(seed, gateway, supervisor, admin))
}

async fn whole_day(
    doors: &Doors,
    service: Service,
    flags: &DemoFlags,
    lang: Lang,
) -> Result<Played, DemoFault> {
    let (askers, gateway) = (askers(doors, flags.seed)?, doors.gateway_id()?);
    let plan = askers.plan_in_force().await?;
    let config = WorldConfig::hospital(&plan, flags.seed, flags.calls, flags.surge);
    let without_desk = config.people.iter().filter(|person| !person.profile.device.has_desk());
    let without_desk = without_desk.map(|person| person.operator).collect();
    let world = World::new(WorldConfig { gateways: vec![gateway], ..config }, &plan);
    let wire = Wire::new(askers, service, gateway, without_desk);
    let screen = Screen::stderr(lang, heading(flags, lang));
    let mut day = Day::new(world, wire, flags.pace, screen);
    day.play().await?;
    let end = day.end();
    let figures = day.figures(end);
    let tally = day.tally();
    let board = day.board().await?;
    let wire = day.wire();
    let told = Testimony {
        figures: &figures,
        inside: &wire.record.inside(),
        passages: wire.record.passages(),
        accounts: &wire.record.accounts_of_service(),
        seen: &wire.seen,
        board: &board,
    };
    let verdict = verdict(&told, lang);
    Ok(Played {
        seed: flags.seed,
        surge: flags.surge,
        first_attempts: tally.first_attempts,
        redials: tally.redials,
        resumed: wire.record.redials_resumed(),
        figures,
        state_hash: wire.record.state_hash(),
        verdict,
        lives: day.lives().clone(),
        on_disk: None,
    })
}

fn heading(flags: &DemoFlags, lang: Lang) -> String {
    let DemoFlags { seed, pace, surge, .. } = flags;
    let surged = if *surge > 1 { format!(" · {surge}x") } else { String::new() };
    match lang {
        Lang::Zh => format!("热线演示：医院的一天，种子 {seed}，步速 {pace}{surged}"),
        Lang::En => format!("Hotline demo: a hospital's day, seed {seed}, pace {pace}{surged}"),
    }
}

/// The report on standard output, as asked for. For programs it is one line, the last; people read it beside it.
fn tell(report: &Report, output: Output, lang: Lang) -> Result<(), DemoFault> {
    let text = report.lines(lang).join("\n");
    match output {
        Output::Text => print_line(&format!("\n{text}")),
        Output::Json => {
            eprint_line(&format!("\n{text}"))?;
            print_line(&json::report(report).to_string())
        }
    }
}

fn print_line(text: &str) -> Result<(), DemoFault> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(DemoFault::machine("writing to standard output"))
}

fn eprint_line(text: &str) -> Result<(), DemoFault> {
    writeln!(io::stderr().lock(), "{text}").map_err(DemoFault::machine("writing to standard error"))
}
