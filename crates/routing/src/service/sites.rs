use std::sync::{Arc, Weak};

use api::v1;
use api::v1::site_service_server::SiteService;
use exchange::Refused;
use plan::ParsedPlan;
use session::AuditEntry;
use switchboard::command::Command;
use switchboard::id::{PrincipalId, RequestId, SiteId};
use switchboard::operator::Duty;
use switchboard::rejection::Rejection;
use tonic::{Code, Request, Response, Status};

use super::admin::{acting, asked, bad_plan, named, token_fault};
use super::formats;
use crate::audited::{About, TOKEN_ISSUED};
use crate::convert;
use crate::principal::{Principal, Who};
use crate::refusal::{self, Reason};
use crate::site::{Site, plan_hash};
use crate::sites::{BeginFault, OpenFault, Sites, begin, by_the_server};
use crate::stores::registry_fault;
use crate::streams::wire_cursor;

/// What errors call a first plan that came in a request.
const PLAN_NAME: &str = "plan_text";

/// For administrators of the home site.
pub(crate) struct SitesService {
    pub(crate) site: Arc<Site>,
    /// The router holds the sites, and the sites their services.
    pub(crate) sites: Weak<Sites>,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SiteService for SitesService {
    async fn create_site(&self, request: Request<v1::CreateSiteRequest>) -> Answer<v1::CreateSiteResponse> {
        let (act, who, request) = acting(request)?;
        let sites = self.kept_sites()?;
        let v1::CreateSiteRequest { request_id, site_id, plan_text, admin_id } = request;
        let id: SiteId = convert::name("site_id", &site_id)?;
        let admin: PrincipalId =
            convert::name("admin_id", if admin_id.is_empty() { FIRST_ADMIN } else { &admin_id })?;
        let text = if plan_text.is_empty() { plan::HOSPITAL } else { &plan_text };
        let parsed = plan::parse(PLAN_NAME, text).map_err(|errors| bad_plan(&errors))?;
        let request = convert::request(&request_id)?.unwrap_or_else(|| self.site.recorder.request_id());
        let becomes = format!("{{\"admin\":\"{admin}\",\"plan\":\"{}\"}}", plan_hash(&parsed.plan));
        act.asks(About { object: object(id), becomes, request: request.0.to_string(), ..About::default() })
            .await?;
        // Goes to its end also when nobody waits for the answer any more.
        let created = tokio::spawn(async move { create(&sites, id, parsed, by(who)?, request, admin).await });
        let token = created.await.map_err(|fault| Status::internal(fault.to_string()))??;
        tracing::info!(by = who.id(), site = %id, "a site begins");
        Ok(Response::new(v1::CreateSiteResponse { token }))
    }

    async fn list_sites(&self, request: Request<v1::ListSitesRequest>) -> Answer<v1::ListSitesResponse> {
        let (_, request) = asked(request)?;
        let sites = self.kept_sites()?;
        sites.find_sites().await;
        let size = convert::page_size(request.page_size)?;
        let after: Option<SiteId> = convert::optional_name("page_token", &request.page_token)?;
        let home = sites.home();
        let behind = |site: &Arc<Site>| after.is_none_or(|after| site.id() > after);
        let mut all = sites.all().into_iter().filter(behind);
        let page: Vec<v1::SiteEntry> = all.by_ref().take(size).map(|site| entry(&site, home)).collect();
        let next_page_token = match (all.next(), page.last()) {
            (Some(_), Some(last)) => last.site_id.clone(),
            _ => String::new(),
        };
        Ok(Response::new(v1::ListSitesResponse { sites: page, next_page_token }))
    }

    async fn retire_site(&self, request: Request<v1::RetireSiteRequest>) -> Answer<v1::RetireSiteResponse> {
        let (act, who, request) = acting(request)?;
        let sites = self.kept_sites()?;
        let v1::RetireSiteRequest { request_id, site_id } = request;
        let id: SiteId = convert::name("site_id", &site_id)?;
        let request = convert::request(&request_id)?.unwrap_or_else(|| self.site.recorder.request_id());
        let site = known(&sites, id).await?;
        act.asks(About { object: object(id), request: request.0.to_string(), ..About::default() }).await?;
        if id == sites.home() {
            return Err(is_home());
        }
        let done = by_the_server(&site, by(who)?, "site.retire", request, Command::RetireSite).await;
        let done = done.map_err(|fault| not_begun(&fault))?;
        tracing::info!(by = who.id(), site = %id, "a site ends");
        Ok(Response::new(v1::RetireSiteResponse { cursor: Some(wire_cursor(done.cursor)) }))
    }

    async fn get_format(&self, request: Request<v1::GetFormatRequest>) -> Answer<v1::GetFormatResponse> {
        let (_, request) = asked(request)?;
        let sites = self.kept_sites()?;
        let site = known(&sites, convert::name("site_id", &request.site_id)?).await?;
        Ok(Response::new(formats::look(&site.exchange).await?))
    }

    async fn raise_format(
        &self,
        request: Request<v1::RaiseFormatRequest>,
    ) -> Answer<v1::RaiseFormatResponse> {
        let (act, who, request) = acting(request)?;
        let sites = self.kept_sites()?;
        let v1::RaiseFormatRequest { request_id, site_id, to } = request;
        let id: SiteId = convert::name("site_id", &site_id)?;
        let request = convert::request(&request_id)?.unwrap_or_else(|| self.site.recorder.request_id());
        let site = known(&sites, id).await?;
        if site.exchange.read(|switchboard| switchboard.state().retired) {
            return Err(refusal::rejected(&Rejection::SiteRetired));
        }
        let (was, format) = (site.exchange.format(), formats::wished(&site.exchange, to)?);
        act.asks(About {
            object: object(id),
            was: was.to_string(),
            becomes: format.to_string(),
            request: request.0.to_string(),
            why: None,
        })
        .await?;
        let cursor = formats::raise(&site.exchange, format).await?;
        tracing::info!(by = who.id(), site = %id, was, format, "the record is written in this format from here on");
        Ok(Response::new(v1::RaiseFormatResponse { cursor: Some(wire_cursor(cursor)), was, format }))
    }
}

impl SitesService {
    /// The sites, if this is the home site.
    fn kept_sites(&self) -> Result<Arc<Sites>, Status> {
        let sites = self.sites.upgrade().ok_or_else(crate::streams::closing)?;
        if self.site.id() == sites.home() {
            return Ok(sites);
        }
        let mend = "ask an administrator of the home site, the one this service was set up with";
        let reason = Reason { status: Code::PermissionDenied, code: "NOT_HOME", mend };
        Err(refusal::status(reason, "sites are begun and ended from the home site alone"))
    }
}

/// A site, also one that another router began a moment ago.
async fn known(sites: &Arc<Sites>, id: SiteId) -> Result<Arc<Site>, Status> {
    if sites.served(id).is_none() {
        sites.find_sites().await;
    }
    sites.served(id).map(|served| served.site).ok_or_else(unknown_site)
}

/// Who administers a site when nobody says another name.
const FIRST_ADMIN: &str = "admin";

/// Begins a site, or finds it begun by this very request, and mints its administrator's token.
async fn create(
    sites: &Arc<Sites>,
    id: SiteId,
    parsed: ParsedPlan,
    by: PrincipalId,
    request: RequestId,
    admin: PrincipalId,
) -> Result<String, Status> {
    let site = sites.open(id).await.map_err(|fault| not_opened(&fault))?;
    begin(&site, parsed, by, request).await.map_err(|fault| match fault {
        BeginFault::Refused(Refused::Rejection(Rejection::PlanConflict { .. } | Rejection::SiteRetired)) => {
            let mend = "choose another name; a name is never used again";
            let reason = Reason { status: Code::AlreadyExists, code: "SITE_EXISTS", mend };
            refusal::status(reason, &format!("there is, or was, a site {id}"))
        }
        fault => not_begun(&fault),
    })?;
    let principal = Principal { site: id, who: Who::Admin(admin) };
    // Another router that serves the site learns of the token by its audit.
    let act = site.recorder.by_itself(by.as_str(), TOKEN_ISSUED);
    act.asks(About { object: named(&principal), ..About::default() }).await?;
    let minted = site.principals.mint(principal).await;
    act.end(if minted.is_ok() { AuditEntry::DONE } else { AuditEntry::REFUSED }.to_owned()).await;
    Ok(minted.map_err(|fault| token_fault(&fault))?.reveal().to_owned())
}

fn entry(site: &Site, home: SiteId) -> v1::SiteEntry {
    site.exchange.read(|switchboard| {
        let state = switchboard.state();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        v1::SiteEntry {
            site_id: site.id().to_string(),
            home: site.id() == home,
            retired: state.retired,
            revision: state.revision.0,
            seq: state.seq.0,
            open_calls: count(state.calls.len()),
            operators: count(state.operators.len()),
            on_duty: count(state.operators.values().filter(|person| person.duty != Duty::Off).count()),
            format: site.exchange.format(),
            newest_format: session::newest_format(),
        }
    })
}

/// A site as the audit names it.
fn object(site: SiteId) -> String {
    format!("site:{site}")
}

fn by(who: Who) -> Result<PrincipalId, Status> {
    match who {
        Who::Admin(id) => Ok(id),
        _ => Err(refusal::rejected(&Rejection::NotYours)),
    }
}

fn not_opened(fault: &OpenFault) -> Status {
    let (status, code, mend) = match fault {
        OpenFault::OneSite => {
            (Code::FailedPrecondition, "ONE_SITE", "serve with a data directory: hotline serve --data DIR")
        }
        OpenFault::Registry(fault) => return registry_fault(fault),
        OpenFault::Tokens(fault) => return token_fault(fault),
        OpenFault::Start(_) => (Code::Unavailable, "SITE_NOT_SERVED", "ask again in a moment"),
    };
    refusal::status(Reason { status, code, mend }, &fault.to_string())
}

fn not_begun(fault: &BeginFault) -> Status {
    match fault {
        BeginFault::Registry(fault) => registry_fault(fault),
        BeginFault::Refused(refused) => refusal::refused(refused.clone()),
        BeginFault::Unrecorded(status) => status.clone(),
    }
}

fn unknown_site() -> Status {
    let mend = "hotline site list says which there are";
    let reason = Reason { status: Code::NotFound, code: "UNKNOWN_SITE", mend };
    refusal::status(reason, "there is no such site here")
}

fn is_home() -> Status {
    let mend = "end the service instead, once its lines are closed";
    let reason = Reason { status: Code::FailedPrecondition, code: "HOME_SITE", mend };
    refusal::status(reason, "the home site keeps the others, and is not retired")
}
