//! The door: of every request, who sends it and whether that one may; of every stream, whether it still may.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, Request, Response, header};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use crate::audited::{self, Act};
use crate::authorize::{Access, access, known};
use crate::cut::Cut;
use crate::figures::{Figures, name_of};
use crate::limits::Limits;
use crate::listening::Peer;
use crate::malformed;
use crate::principal::Role;
use crate::readers::{Hold, Readers};
use crate::refusal::{DOMAIN, Reason, status};
use crate::sites::{Served, Sites};
use crate::streams::closing;
use crate::tokens::{Admitted, NotAdmitted, Principals, Token};
use crate::traces::{self, Traces};

/// Asks of every request who sends it and whether that one may.
#[derive(Clone)]
pub(crate) struct Doorkeeper(Arc<Door>);

struct Door {
    principals: Arc<Principals>,
    /// Methods that answer with a stream.
    streaming: BTreeSet<String>,
    figures: Arc<Figures>,
    closing: watch::Receiver<bool>,
    readers: Arc<Readers>,
    sites: Arc<Sites>,
    traces: Traces,
}

impl Doorkeeper {
    /// Who knows these principals, and ends streams when their token or the router does.
    pub(crate) fn new(
        principals: Arc<Principals>,
        limits: &Limits,
        streaming: BTreeSet<String>,
        figures: Arc<Figures>,
        closing: watch::Receiver<bool>,
        sites: Arc<Sites>,
        traces: Traces,
    ) -> Doorkeeper {
        let readers = Readers::watched(limits.stuck_reader);
        Doorkeeper(Arc::new(Door { principals, streaming, figures, closing, readers, sites, traces }))
    }

    /// Who sends a token, if it is one of these roles'.
    ///
    /// # Errors
    /// What is to be answered.
    pub(crate) fn admit(
        &self,
        roles: &[Role],
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Admitted, Status> {
        let token = bearer(headers).ok_or_else(without_token)?;
        match self.0.principals.authenticate(token, SystemTime::now()) {
            Ok(admitted) if roles.contains(&admitted.principal.who.role()) => Ok(admitted),
            Ok(_) => Err(wrong_role(roles)),
            Err(NotAdmitted::Expired) => Err(expired()),
            Err(NotAdmitted::Unknown) => {
                self.0.figures.wrong_tokens.inc();
                match self.0.sites.guesses.wrong(peer, Instant::now()) {
                    Ok(()) => Err(without_token()),
                    Err(wait) => Err(too_many_guesses(wait)),
                }
            }
        }
    }

    /// The services of a principal's site.
    fn served(&self, admitted: &Admitted) -> Result<Served, Status> {
        let served = self.0.sites.served(admitted.principal.site);
        served.ok_or_else(|| {
            let mend = "ask again in a moment; if it stays so, tell whoever runs this server";
            let reason = Reason { status: Code::Unavailable, code: "SITE_NOT_SERVED", mend };
            status(reason, "this router does not serve the site of this token")
        })
    }

    /// Watches over a stream until its token or the router ends.
    fn watch(
        &self,
        method: &'static str,
        admitted: Option<Admitted>,
        connection: Arc<Hold>,
        body: Body,
    ) -> Body {
        let reader = self.0.readers.begin(connection, admitted.clone());
        let ended = async move {
            match admitted {
                Some(admitted) => match admitted.ended().await {
                    NotAdmitted::Expired => expired(),
                    NotAdmitted::Unknown => revoked(),
                },
                None => std::future::pending().await,
            }
        };
        let mut router = self.0.closing.clone();
        let closed = async move {
            // An error means that the router was dropped without a word: it goes on.
            if router.wait_for(|closing| *closing).await.is_err() {
                std::future::pending::<()>().await;
            }
            closing()
        };
        Body::new(Cut::new(body, ended, closed, reader, self.0.figures.stream(method)))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    // What is no text is no token, and yet was sent as one.
    let sent = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let (scheme, token) = sent.split_once(' ').unwrap_or(("bearer", ""));
    Some(if scheme.eq_ignore_ascii_case("bearer") { token } else { "" })
}

fn without_token() -> Status {
    let mend =
        "send a token of this server as 'authorization: Bearer hl_…'; if it was one, ask for a new one";
    let reason = Reason { status: Code::Unauthenticated, code: "NO_VALID_TOKEN", mend };
    status(reason, &format!("no valid token; {mend}"))
}

fn expired() -> Status {
    let mend = "ask for a new token";
    let reason = Reason { status: Code::Unauthenticated, code: "TOKEN_EXPIRED", mend };
    status(reason, "this token has expired")
}

fn revoked() -> Status {
    let mend = "ask for a new token, if you are still meant to have one";
    let reason = Reason { status: Code::Unauthenticated, code: "TOKEN_REVOKED", mend };
    status(reason, "the token of this stream was revoked")
}

/// Too many wrong tokens or invitations came from one address.
pub(crate) fn too_many_guesses(wait: Duration) -> Status {
    let mut details = ErrorDetails::new();
    let mend = "send a token of this server; too many from your address were none";
    details.set_error_info("TOO_MANY_WRONG_TOKENS", DOMAIN, [("mend".to_owned(), mend.to_owned())]);
    details.set_retry_info(Some(wait));
    Status::with_error_details(Code::ResourceExhausted, "too many wrong tokens", details)
}

/// An act was done that nobody recorded: a mistake of this program's, which shows at once.
fn unrecorded(method: &'static str) -> (Response<Body>, Code) {
    tracing::error!(method, "an act was done without being recorded");
    (
        Status::internal("this was done, and not recorded; tell whoever runs this server").into_http(),
        Code::Internal,
    )
}

fn wrong_role(roles: &[Role]) -> Status {
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let mend = format!("use a token of a principal with the role {}", names.join(" or "));
    let mut details = ErrorDetails::new();
    details.set_error_info("WRONG_ROLE", DOMAIN, [("mend".to_owned(), mend.clone())]);
    Status::with_error_details(Code::PermissionDenied, format!("not for this role; {mend}"), details)
}

impl<S> Layer<S> for Doorkeeper {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { doorkeeper: self.clone(), inner }
    }
}

/// A service behind the doorkeeper.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    doorkeeper: Doorkeeper,
    inner: S,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let doorkeeper = self.doorkeeper.clone();
        if doorkeeper.may_be_news(&request) {
            return Box::pin(async move {
                doorkeeper.0.sites.look_at_others().await;
                // Whoever needs a token asks for something of a site: it is not for the service within.
                let nowhere = |_: Request<Body>| -> Self::Future {
                    Box::pin(async { Ok(Status::unimplemented("there is no such method").into_http()) })
                };
                doorkeeper.let_in(request, nowhere).await
            });
        }
        doorkeeper.let_in(request, |request| Box::pin(self.inner.call(request)))
    }
}

/// An answer on its way.
type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl Doorkeeper {
    /// Whether a request has a token that nobody knows here, and that another router may have made a moment ago.
    fn may_be_news(&self, request: &Request<Body>) -> bool {
        let is_unknown = |token: &str| {
            let admitted = self.0.principals.authenticate(token, SystemTime::now());
            Token::has_the_form(token) && matches!(admitted, Err(NotAdmitted::Unknown))
        };
        self.0.sites.is_shared()
            && matches!(access(request.uri().path()), Some(Access::Roles(_)))
            && bearer(request.headers()).is_some_and(is_unknown)
    }

    /// Asks who it is, and whether that one may; what is of no site goes to `common`.
    fn let_in<E: 'static>(
        self,
        mut request: Request<Body>,
        common: impl FnOnce(Request<Body>) -> Answer<E>,
    ) -> Answer<E> {
        let doorkeeper = self;
        let began = Instant::now();
        let connection = request.extensions().get::<Peer>().map(|peer| Arc::clone(&peer.hold));
        let peer = Peer::ip(request.extensions().get());
        let path = request.uri().path();
        let (method, access) = (known(path).unwrap_or("unknown"), access(path));
        let admitted = match access {
            None => Err(Status::unimplemented("there is no such method")),
            Some(Access::Public) => Ok(None),
            Some(Access::Roles(roles)) => doorkeeper.admit(roles, request.headers(), peer).map(Some),
        };
        let who = admitted.as_ref().ok().and_then(Option::as_ref);
        let span = doorkeeper.0.traces.request(method, who, request.headers());
        let slip = admitted.and_then(|admitted| {
            let Some(admitted) = admitted else { return Ok((None, None, None)) };
            let served = doorkeeper.served(&admitted)?;
            let who = admitted.principal.who;
            let act = served.site.recorder.slip(method, who, request.headers())?;
            Ok((act, Some(admitted), Some(served.routes)))
        });
        let (act, admitted, routes) = match slip {
            Ok(admitted) => admitted,
            Err(refused) => {
                doorkeeper.note(method, None, refused.code(), began, peer, &span);
                return Box::pin(async move { Ok(refused.into_http()) });
            }
        };
        // The token has done its work: nothing behind the door sees it.
        request.headers_mut().remove(header::AUTHORIZATION);
        if let Some(admitted) = &admitted {
            request.extensions_mut().insert(admitted.principal);
        }
        if let Some(act) = &act {
            request.extensions_mut().insert(act.clone());
        }
        // What anybody may ask is of no site; everything else goes to the services of the principal's own.
        let answer: Answer<E> = match routes {
            None => common(request),
            Some(mut routes) => Box::pin(async move {
                let Ok(answer) = routes.call(request).await;
                Ok(answer)
            }),
        };
        let mut answering = Answering {
            doorkeeper,
            method,
            admitted,
            act,
            code: Code::Cancelled,
            began,
            peer,
            span: span.clone(),
        };
        let answered = async move {
            let mut response = malformed::mended(answer.await?);
            let said = Status::from_header_map(response.headers());
            let mut code = said.as_ref().map_or(Code::Ok, Status::code);
            if let Some(act) = &answering.act {
                if code == Code::Ok && !act.is_asked() {
                    (response, code) = unrecorded(method);
                }
                let reason = said.as_ref().and_then(StatusExt::get_details_error_info);
                act.end(audited::outcome(code, reason.map(|info| info.reason).as_deref())).await;
            }
            answering.code = code;
            let Answering { doorkeeper, admitted, .. } = &answering;
            if code == Code::Ok && doorkeeper.0.streaming.contains(method) {
                response = response.map(|body| {
                    doorkeeper.watch(method, admitted.clone(), connection.unwrap_or_default(), body)
                });
            }
            Ok(response)
        };
        Box::pin(answered.instrument(span))
    }
}

/// A request until it is answered, or given up: when the client does or its time is over. Noted either way.
struct Answering {
    doorkeeper: Doorkeeper,
    method: &'static str,
    admitted: Option<Admitted>,
    act: Option<Act>,
    code: Code,
    began: Instant,
    peer: IpAddr,
    span: Span,
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Answering { doorkeeper, method, admitted, act, code, began, peer, span } = &*self;
        if let Some(act) = act {
            act.given_up();
        }
        doorkeeper.note(method, admitted.as_ref(), *code, *began, *peer, span);
    }
}

impl Doorkeeper {
    fn note(
        &self,
        method: &'static str,
        admitted: Option<&Admitted>,
        code: Code,
        began: Instant,
        peer: IpAddr,
        span: &Span,
    ) {
        let took = began.elapsed();
        self.0.figures.answered(method, code, took);
        traces::answered(span, code);
        let (role, id) = admitted.map_or(("nobody", ""), |admitted| {
            let who = &admitted.principal.who;
            (who.role().name(), who.id())
        });
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let code = name_of(code);
        tracing::debug!(method, role, id, code, took_us, %peer, "answered");
    }
}
