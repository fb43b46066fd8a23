//! A database whose schema a later release has changed: whoever serves it goes on, and nobody of this release begins.

use api::{Client, v1};

use super::{Shared, said};
use crate::database::ask;

/// A step as a later release may make it: the servers of the release before can live with it.
const LATER: &str = "ALTER TABLE hotline.journal ADD COLUMN later TEXT; \
     CREATE TABLE hotline.later (site TEXT NOT NULL PRIMARY KEY); \
     INSERT INTO hotline._sqlx_migrations (version, description, success, checksum, execution_time) \
     VALUES (99, 'later', TRUE, '', 0)";

/// Ends every connection to the database, so that whoever needs one makes another.
const END_ALL: &str = "SELECT COUNT(pg_terminate_backend(pid, 20000)) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_beside_a_later_schema_and_none_of_this_release_begins() {
    let shared = Shared::migrated();
    let address = shared.database.address();
    let mut server = shared.start("later");
    let ready = server.ready();
    let served_at = ready["address"].as_str().expect("an address");
    let supervisor = Client::new(served_at, server.token("supervisor")).expect("an address");

    ask(&address, LATER);
    let close = v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 600_000,
        ..v1::CloseLineRequest::default()
    };
    supervisor.send(close).await.expect("over the connections that there are");
    ask(&address, END_ALL);
    let open = v1::OpenLineRequest { line_id: "duty".into(), ..v1::OpenLineRequest::default() };
    supervisor.send(open).await.expect("over new ones");

    let refused = shared.refused(&shared.data("second"));
    assert_eq!(refused.status.code(), Some(78), "no unit starts it again: {}", said(&refused));
    assert!(server.child.try_wait().expect("a child").is_none(), "the one that runs goes on");
    drop(server.log());
}
