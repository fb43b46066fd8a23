//! What everything came to, for people and for programs.

use serde_json::{Value, json};

use super::crowd::{Crowd, Crowds};
use super::limits::Missed;
use super::peer::Missing;
use super::rooms::Rooms;
use super::round::{DESKS, IN_FLIGHT, Round};
use super::times::{Times, median};
use crate::lang::Lang;

/// Everything measured.
pub(super) struct Report {
    pub(super) rounds: Vec<Round>,
    pub(super) crowds: Option<Crowds>,
    /// From the kill to the first correct offer, of every restart.
    pub(super) restarts: Option<Times>,
    pub(super) missing: Vec<Missing>,
    pub(super) rooms: Rooms,
}

impl Report {
    pub(super) fn r1(&self) -> f64 {
        median(self.rounds.iter().map(Round::r1)).unwrap_or(f64::NAN)
    }

    pub(super) fn r2(&self) -> f64 {
        median(self.rounds.iter().map(Round::r2)).unwrap_or(f64::NAN)
    }

    pub(super) fn r3(&self) -> Option<f64> {
        median(self.rounds.iter().filter_map(Round::r3))
    }

    pub(super) fn r4(&self) -> Option<f64> {
        median(self.rounds.iter().filter_map(Round::r4))
    }

    pub(super) fn control(&self) -> f64 {
        median(self.rounds.iter().map(Round::control)).unwrap_or(f64::NAN)
    }

    pub(super) fn desk_kb(&self) -> Option<f64> {
        self.crowds.as_ref().map(Crowds::desk_kb)
    }

    /// All but one in a hundred were not longer.
    pub(super) fn restart_s(&self) -> Option<f64> {
        self.restarts.as_ref().map(|times| times.percentile_us(99.0) as f64 / 1e6)
    }

    /// One object.
    pub(super) fn json(&self, missed: &[Missed]) -> Value {
        let missed =
            missed.iter().map(|m| json!({ "name": m.name, "is": rounded(m.is), "must_be": m.must_be }));
        let mut object = json!({
            "r1": rounded(self.r1()),
            "r2": rounded(self.r2()),
            "r3": self.r3().map(rounded),
            "r4": self.r4().map(rounded),
            "desk_kb": self.desk_kb().map(rounded),
            "restart_s": self.restart_s().map(rounded),
            "control": rounded(self.control()),
            "in_flight": IN_FLIGHT,
            "desks": DESKS,
            "rounds": self.rounds.iter().map(round_object).collect::<Vec<_>>(),
            "crowds": self.crowds.as_ref().map(|crowds| json!({
                "few": crowd_object(&crowds.few),
                "many": crowd_object(&crowds.many),
                "life_cost_ratio": rounded(crowds.life_cost_ratio()),
            })),
            "restarts": self.restarts.as_ref().map(Times::json),
            "missed": missed.collect::<Vec<_>>(),
        });
        for (room, measured) in self.rooms.objects() {
            object[room] = measured.unwrap_or_default();
        }
        object
    }

    /// The figures, a line each.
    pub(super) fn lines(&self, missed: &[Missed], lang: Lang) -> Vec<String> {
        let none = lang.of("未测", "not measured");
        let of = |figure: Option<f64>| figure.map_or(none.to_owned(), |figure| format!("{figure:.2}"));
        let word = |zh, en| lang.of(zh, en);
        let mut lines = vec![
            format!(
                "r1         {:>8.2}   {}",
                self.r1(),
                word(
                    "单个来电：持久派线 ÷（gRPC 回声＋落盘），中位数",
                    "one call at a time: durable offer ÷ (gRPC echo + durable append), medians"
                )
            ),
            format!(
                "r2         {:>8.2}   {}",
                self.r2(),
                word("每秒来电：持久 ÷ 内存", "lives per second: durable ÷ in memory")
            ),
            format!(
                "r3         {:>8}   {}",
                of(self.r3()),
                word("每秒来电：持久 ÷ Redis 加 Lua", "lives per second: durable ÷ Redis and Lua")
            ),
            format!(
                "r4         {:>8}   {}",
                of(self.r4()),
                word(
                    "每秒来电，同一 Postgres 上：持久 ÷ 以 SKIP LOCKED 和 NOTIFY 派话",
                    "lives per second on one Postgres: durable ÷ a matcher of SKIP LOCKED and NOTIFY"
                )
            ),
            format!(
                "desk_kb    {:>8}   {}",
                of(self.desk_kb()),
                word("每多一个席位的内存", "memory of one more desk")
            ),
            format!(
                "restart_s  {:>8}   {}",
                of(self.restart_s()),
                word("强制结束到第一次正确派线，p99", "from kill -9 to the first correct offer, p99")
            ),
            format!(
                "control    {:>8.2}   {}",
                self.control(),
                word("同一服务测两次之比，应接近 1", "the same service measured twice: should be near 1")
            ),
        ];
        lines.extend(self.crowds.as_ref().map(|crowds| crowd_line(crowds, lang)));
        lines.extend(self.rooms.lines(lang));
        lines.extend(self.missing.iter().map(|missing| missing_line(missing, lang)));
        lines.extend(missed.iter().map(|m| match lang {
            Lang::Zh => format!("未达到：{} 为 {:.2}，应 {}", m.name, m.is, m.must_be),
            Lang::En => format!("missed: {} is {:.2} and must be {}", m.name, m.is, m.must_be),
        }));
        lines
    }
}

/// A round, as it is over.
pub(super) fn round_lines(number: usize, of: usize, round: &Round, lang: Lang) -> Vec<String> {
    let (durable, memory) = (round.durable.rate(), round.memory.rate());
    let peer = match (&round.peer, round.r3(), round.bare) {
        (Some(peer), Some(r3), Some(bare)) => match lang {
            Lang::Zh => format!("Redis {:.0} (r3 {r3:.2})，无人连接的 Redis {bare:.0}", peer.rate()),
            Lang::En => {
                format!("Redis {:.0} (r3 {r3:.2}), Redis with nobody connected {bare:.0}", peer.rate())
            }
        },
        _ => lang.of("Redis 未测", "Redis not measured").to_owned(),
    };
    let ms = |times: &Times| times.p50_us() as f64 / 1_000.0;
    let (alone, echo, append) = (ms(&round.alone), ms(&round.echoes), ms(&round.appends));
    let (r1, r2, control) = (round.r1(), round.r2(), round.control());
    let mut lines = match lang {
        Lang::Zh => vec![
            format!(
                "第 {number}/{of} 轮  每秒来电：持久 {durable:.0}，再测之比 {control:.2}，内存 {memory:.0} (r2 {r2:.2})，{peer}"
            ),
            format!(
                "         单个来电 p50：派线 {alone:.2} 毫秒，回声 {echo:.2}，落盘 {append:.2} (r1 {r1:.2})"
            ),
            format!("         同时 {IN_FLIGHT} 个：派线 {}", round.durable.offers),
            format!("         定时来电：派线 {}", round.open.offers),
        ],
        Lang::En => vec![
            format!(
                "round {number}/{of}  lives/s: durable {durable:.0}, control {control:.2}, memory {memory:.0} (r2 {r2:.2}), {peer}"
            ),
            format!(
                "           one at a time, p50: offer {alone:.2} ms, echo {echo:.2}, append {append:.2} (r1 {r1:.2})"
            ),
            format!("           {IN_FLIGHT} at a time: offer {}", round.durable.offers),
            format!("           open: offer {}", round.open.offers),
        ],
    };
    lines.extend(postgres_line(round, lang));
    lines
}

fn crowd_line(crowds: &Crowds, lang: Lang) -> String {
    let Crowds { few, many } = crowds;
    let (few_us, many_us) = (few.life_cpu.as_micros(), many.life_cpu.as_micros());
    let ratio = crowds.life_cost_ratio();
    match lang {
        Lang::Zh => format!(
            "每个来电占用服务处理器：{} 席 {few_us} 微秒，{} 席 {many_us} 微秒，比 {ratio:.2}",
            few.desks, many.desks
        ),
        Lang::En => format!(
            "a life costs the service {few_us} µs of processor among {} desks, {many_us} µs among {}: ratio {ratio:.2}",
            few.desks, many.desks
        ),
    }
}

fn missing_line(missing: &Missing, lang: Lang) -> String {
    match (missing, lang) {
        (Missing::Server, Lang::Zh) => {
            "没有 redis-server，r3 未测；安装：sudo apt-get install redis-server".to_owned()
        }
        (Missing::Server, Lang::En) => {
            "there is no redis-server, so there is no r3; install it: sudo apt-get install redis-server"
                .to_owned()
        }
        (Missing::Peers(path), Lang::Zh) => {
            format!("没有 {}，r3 和 r4 未测；用 cargo build -p peers 编译，或用 --peers 指定", path.display())
        }
        (Missing::Peers(path), Lang::En) => format!(
            "there is no {}, so there is neither r3 nor r4; build it by cargo build -p peers, or name another by --peers",
            path.display()
        ),
        (Missing::Postgres, Lang::Zh) => {
            "没有指定 Postgres，r4 未测；请把其地址写入文件，用 --postgres 指定".to_owned()
        }
        (Missing::Postgres, Lang::En) => {
            "no Postgres was named, so there is no r4; name one by --postgres, in a file that holds its address"
                .to_owned()
        }
    }
}

/// A round on Postgres, if one was named.
fn postgres_line(round: &Round, lang: Lang) -> Option<String> {
    let postgres = round.postgres.as_ref()?;
    let (rate, offers) = (postgres.rate(), &postgres.offers);
    let matcher = match (&round.matcher, round.r4()) {
        (Some(matcher), Some(r4)) => format!("{:.0} (r4 {r4:.2})", matcher.rate()),
        _ => lang.of("未测", "not measured").to_owned(),
    };
    Some(match lang {
        Lang::Zh => {
            format!("         Postgres：每秒来电 {rate:.0}，SKIP LOCKED 和 NOTIFY {matcher}；派线 {offers}")
        }
        Lang::En => format!(
            "           Postgres: lives/s {rate:.0}, SKIP LOCKED and NOTIFY {matcher}; offer {offers}"
        ),
    })
}

fn round_object(round: &Round) -> Value {
    json!({
        "r1": rounded(round.r1()),
        "r2": rounded(round.r2()),
        "r3": round.r3().map(rounded),
        "r4": round.r4().map(rounded),
        "control": rounded(round.control()),
        "lives_per_s": {
            "durable": rounded(round.durable.rate()),
            "control": rounded(round.control.rate()),
            "memory": rounded(round.memory.rate()),
            "postgres": round.postgres.as_ref().map(|postgres| rounded(postgres.rate())),
            "redis_lua": round.peer.as_ref().map(|peer| rounded(peer.rate())),
            "skip_locked": round.matcher.as_ref().map(|matcher| rounded(matcher.rate())),
            "redis_lua_bare": round.bare.map(rounded),
        },
        "late": round.durable.late + round.control.late + round.memory.late + round.open.late,
        "offer_on_postgres": round.postgres.as_ref().map(|postgres| postgres.offers.json()),
        "offer": round.durable.offers.json(),
        "offer_in_memory": round.memory.offers.json(),
        "offer_alone": round.alone.json(),
        "offer_open": round.open.offers.json(),
        "echo": round.echoes.json(),
        "append_512": round.appends.json(),
    })
}

fn crowd_object(crowd: &Crowd) -> Value {
    json!({
        "desks": crowd.desks,
        "resident_kb": crowd.resident_kb,
        "idle_cpu_share": rounded(crowd.idle_share),
        "life_cpu_us": u64::try_from(crowd.life_cpu.as_micros()).unwrap_or(u64::MAX),
        "lives_per_s": rounded(crowd.rate),
        "late": crowd.late,
    })
}

/// To a thousandth: more digits would say more than was measured.
pub(super) fn rounded(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
