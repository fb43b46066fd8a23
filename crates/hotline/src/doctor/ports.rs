//! Whether the server is reached, or its addresses are free for it, and whether it may open as many files as it needs.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::Finding;
use crate::chinese::chinese;
use crate::office::said::said;
use crate::open_files;
use crate::serve::{OTHER_FILES, ServerFile};
use crate::tokens::{ADDRESS_FILE, Address};

const PATIENCE: Duration = Duration::from_secs(2);

/// Addresses and open files.
pub(super) fn look(data: &Path, file: &ServerFile) -> Vec<Finding> {
    let ports = if is_held(data) { reached(data) } else { free(&file.listen) };
    vec![ports, files(file)]
}

/// What the server of this directory wrote down last.
pub(super) fn noted(data: &Path) -> Option<Address> {
    serde_json::from_slice(&fs::read(data.join(ADDRESS_FILE)).ok()?).ok()
}

/// Whether a server has the directory.
fn is_held(data: &Path) -> bool {
    let Ok(lock) = File::open(data.join("lock")) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn reached(data: &Path) -> Finding {
    const CHECK: &str = "ports";
    let mend = said(
        "稍候再试；若仍如此，查看服务器的日志并重新启动它",
        "try again in a moment; if it stays so, read the server's log and restart it",
    );
    let Some(noted) = noted(data) else {
        let words = said(
            format!("服务器在运行，但 {ADDRESS_FILE} 中没有它的地址"),
            format!("a server runs, and {ADDRESS_FILE} does not say where it is reached"),
        );
        return Finding::bad(CHECK, words, mend);
    };
    let address = &noted.address;
    let socket = address.split_once("://").and_then(|(_, socket)| socket.parse::<SocketAddr>().ok());
    let connected = socket.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData));
    match connected.and_then(|socket| TcpStream::connect_timeout(&socket, PATIENCE)) {
        Ok(_) => Finding::good(
            CHECK,
            said(format!("服务器在 {address}"), format!("the server answers at {address}")),
        ),
        Err(fault) => {
            let words = said(
                format!("服务器在运行，但 {address} 无法到达：{}", chinese(&fault)),
                format!("a server runs, and {address} is not reached: {fault}"),
            );
            Finding::bad(CHECK, words, mend)
        }
    }
}

fn free(listen: &[SocketAddr]) -> Finding {
    const CHECK: &str = "ports";
    let taken = listen.iter().find_map(|address| Some((address, TcpListener::bind(address).err()?)));
    match taken {
        None => Finding::good(
            CHECK,
            said("没有服务器在运行；它的地址空闲", "no server runs; its addresses are free"),
        ),
        Some((address, fault)) => {
            let words = said(
                format!("没有服务器在运行，而 {address} 不能使用：{}", chinese(&fault)),
                format!("no server runs, and {address} cannot be listened on: {fault}"),
            );
            let mend = said(
                format!(
                    "用 `ss -ltnp` 查看谁占用 {address}，结束它，或在配置的 listen 中另选地址；启动时用 --listen 的，这里也要写"
                ),
                format!(
                    "find out with `ss -ltnp` who has {address} and end it, or name another in `listen`; if the server is \
                     started with --listen, say so here, too"
                ),
            );
            Finding::bad(CHECK, words, mend)
        }
    }
}

fn files(file: &ServerFile) -> Finding {
    const CHECK: &str = "open-files";
    let (files, needed) = (open_files::raised(), file.limits.limits().connections + OTHER_FILES);
    let words = said(
        format!("可打开 {files} 个文件，需要 {needed} 个"),
        format!("{files} files may be open, {needed} are needed"),
    );
    if usize::try_from(files).is_ok_and(|files| files < needed) {
        let mend = said(
            "提高上限（ulimit -n，或 systemd 的 LimitNOFILE），或减小 [limits] 的 connections",
            "raise the limit (ulimit -n, or LimitNOFILE of systemd), or lower connections in [limits]",
        );
        return Finding::doubtful(CHECK, words, mend);
    }
    Finding::good(CHECK, words)
}
