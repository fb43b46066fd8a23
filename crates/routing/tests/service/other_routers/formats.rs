//! The format of a site's record is raised for all routers that serve it.

use api::{Client, v1};
use session::{FORMAT, FORMAT_OLDEST, Roll, RollEntry, Writer};
use tonic::Code;

use super::Store;
use crate::hospital::{reason, site, visitor};

#[tokio::test]
async fn a_format_is_raised_for_both_routers_and_not_while_one_of_an_earlier_release_is_there() {
    let (a, b) = Store::beginning_in(FORMAT_OLDEST).both(None).await;
    let look = async |admin: &Client, site: &str| {
        admin.send(v1::GetFormatRequest { site_id: site.into() }).await.expect("a format")
    };
    let raise = |site: &str, to| v1::RaiseFormatRequest { site_id: site.into(), to, ..Default::default() };
    let looked = look(&a.admin, "main").await;
    assert_eq!(looked.format, FORMAT_OLDEST);
    assert_eq!(looked.routers.iter().map(|router| router.reads_to).collect::<Vec<_>>(), [FORMAT, FORMAT]);
    let listed = b.admin.send(v1::ListSitesRequest::default()).await.expect("a list").sites;
    assert_eq!((listed[0].format, listed[0].newest_format), (FORMAT_OLDEST, FORMAT));
    for (to, code) in [(FORMAT + 1, "FORMAT_UNKNOWN"), (FORMAT, "FORMAT_NOT_READ")] {
        let old = RollEntry { router: Writer::new("old"), beat: 1, held: String::new() };
        a.store.roll.call(site(), &old).await.expect("memory answers");
        let status = a.admin.send(raise("main", to)).await.expect_err("not yet");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, code));
        assert!(code != "FORMAT_NOT_READ" || status.message().contains("old (up to 1)"), "{status}");
    }
    assert_eq!(look(&b.admin, "main").await.format, FORMAT_OLDEST, "nothing happened");
    let unknown = a.admin.send(raise("north", 0)).await.expect_err("there is none");
    assert_eq!(reason(&unknown), "UNKNOWN_SITE");

    // Another site has routers of its own on its roll, and the old one is not among them.
    let create = v1::CreateSiteRequest { site_id: "north".into(), ..Default::default() };
    let token = a.admin.send(create).await.expect("begun").token;
    let raised = b.admin.send(raise("north", 0)).await.expect("everybody there reads it");
    assert_eq!((raised.was, raised.format), (FORMAT_OLDEST, FORMAT));
    a.client(&token).send(visitor("ana")).await.expect("both go on");
    assert_eq!(
        (look(&a.admin, "north").await.format, look(&b.admin, "north").await.format),
        (FORMAT, FORMAT)
    );
    let again = a.admin.send(raise("north", FORMAT)).await.expect("it is");
    assert_eq!((again.was, again.format), (FORMAT, FORMAT));
    let lower = a.admin.send(raise("north", FORMAT_OLDEST)).await.expect_err("never back");
    assert_eq!(reason(&lower), "FORMAT_LOWER");
    let rows = b.admin.send(v1::ListAuditRequest::default()).await.expect("the audit").records;
    let told = |row: &&v1::AuditRecord| row.what == "site.raise_format" && row.outcome == "asked";
    let told: Vec<_> =
        rows.iter().filter(told).map(|row| (&*row.object, &*row.before, &*row.after)).collect();
    assert_eq!(told, [("site:north", "2", "2"), ("site:north", "1", "2"), ("site:main", "1", "2")]);
}
