//! Whether the Redis that the server is configured with is there, and takes what is written. No call depends on it: what
//! is wrong with it is doubtful, and bad only where the server would not start.

use presence::{RedisAddress, RedisFault, RedisFound, look_at_redis};

use super::Finding;
use crate::chinese::chinese;
use crate::lang::Lang;
use crate::office::said::{Said, said, same};
use crate::serve::ServerFile;

const CHECK: &str = "redis";

/// By the address of a flag, of the environment, or of the configuration.
pub(super) async fn look(flag: Option<&str>, file: &ServerFile) -> Finding {
    let address = match file.redis_at.clone().address(flag) {
        Ok(Some(address)) => address,
        Ok(None) => {
            return Finding::good(CHECK, said("未配置 Redis", "Redis is not configured"));
        }
        Err(fault) => {
            let why = format!("{fault:#}");
            let words = said(
                format!("Redis 的配置不能用，服务器不会启动：{}", chinese(&why)),
                format!("what is configured of Redis cannot be used, and the server will not start: {why}"),
            );
            let mend = said(
                "按 config/server.toml 的 [redis] 一节改正",
                "mend it after the section [redis] of config/server.toml",
            );
            return Finding::bad(CHECK, words, mend);
        }
    };
    match look_at_redis(&address).await {
        Ok(found) => there(&address, &found),
        Err(fault) => away(&address, &fault),
    }
}

/// Whatever answers too late or only follows another one is a fault already.
fn there(address: &RedisAddress, found: &RedisFound) -> Finding {
    let RedisFound { version, round_trip } = found;
    let took_us = round_trip.as_micros();
    let took = format!("{}.{} ms", took_us / 1_000, took_us % 1_000 / 100);
    let words = said(
        format!("{address}：Redis {version}，主节点，{took} 内应答"),
        format!("{address}: Redis {version}, a primary, answers in {took}"),
    );
    Finding::good(CHECK, words)
}

fn away(address: &RedisAddress, fault: &RedisFault) -> Finding {
    let (why, mend) = told(fault);
    let words = said(
        format!("{address} 不可用：{}；来电照常，其他程序看不到谁空闲", why.of(Lang::Zh)),
        format!(
            "{address} cannot be used: {}; calls go on, other programs do not see who is free",
            why.of(Lang::En)
        ),
    );
    Finding::doubtful(CHECK, words, mend)
}

/// What is wrong, and what mends it.
fn told(fault: &RedisFault) -> (Said, Said) {
    match fault {
        RedisFault::Unreachable(what) => (
            said(format!("连不上（{}）", chinese(what)), format!("nobody can be reached there ({what})")),
            said(
                "启动 Redis，或改正地址（是否使用 TLS 也要对）",
                "start it, or correct the address, also whether it speaks TLS",
            ),
        ),
        RedisFault::Slow { limit_ms } => (
            said(format!("{limit_ms} 毫秒内没有应答"), format!("it did not answer within {limit_ms} ms")),
            said("查明是什么拖住了它", "see what holds it up"),
        ),
        RedisFault::NotRedis => (
            said("那里的程序不是 Redis", "what listens there does not answer as a Redis does"),
            said(
                "改正地址；若它使用 TLS，写 rediss://",
                "correct the address, or write rediss:// if it speaks TLS",
            ),
        ),
        RedisFault::Tls(what) => (
            said(format!("TLS 失败（{what}）"), format!("TLS failed ({what})")),
            said(
                "用 [redis] 的 authority 指定它的证书机构；若它不用 TLS，写 redis://",
                "name the authority of its certificate in [redis], or write redis:// if it speaks no TLS",
            ),
        ),
        RedisFault::PasswordMissing => (
            said("它要密码，而没有配置", "it wants a password, and none is set"),
            said(
                "在 [redis] 写 password_file，或设置 HOTLINE_REDIS_PASSWORD",
                "set password_file in [redis], or HOTLINE_REDIS_PASSWORD",
            ),
        ),
        RedisFault::PasswordWrong => (
            said("用户名或密码不对", "it does not accept this user and password"),
            said(
                "改正用户名和密码；它若没有密码，就不要写",
                "correct them, or leave them out if it has none",
            ),
        ),
        RedisFault::NotAllowed => (
            said("这个用户的权限不够", "this user may not do what is needed"),
            said(
                "允许它使用 hotline:* 的键和频道，以及 docs/redis.md 所列命令",
                "allow it keys and channels hotline:*, and the commands of docs/redis.md",
            ),
        ),
        RedisFault::Replica => (
            said("它是从节点，不接受写入", "it is a replica, and takes nothing that is written"),
            said(
                "写主节点的地址，或用 redis+sentinel:// 写哨兵的地址",
                "give the primary's address, or the Sentinels' by redis+sentinel://",
            ),
        ),
        RedisFault::InCluster | RedisFault::NoCluster => (
            said(
                "它是集群节点而地址不是集群地址，或相反",
                "it is a node of a cluster and the address is none of a cluster, or the other way round",
            ),
            said(
                "集群写 redis+cluster://，单机写 redis://",
                "write redis+cluster:// for a cluster and redis:// for one server",
            ),
        ),
        other => {
            (same(other.to_string()), said("按它所说处理后再检查一次", "do what it says and look again"))
        }
    }
}
