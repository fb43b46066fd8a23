//! The front: what comes in on one port, by kind. gRPC goes to the services, gRPC-Web is turned into gRPC first, and
//! `/metrics` is a page.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tonic::body::Body;
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::{Layer, Service};

use crate::door::Doorkeeper;
use crate::figures;
use crate::listening::Peer;
use crate::principal::Role;
use crate::site::Site;
use crate::sites::Sites;

/// Who may read figures from another machine.
const FIGURES_ROLES: &[Role] = &[Role::Supervisor, Role::Admin, Role::Integrator];

/// Sorts what comes in.
#[derive(Clone)]
pub(crate) struct Front {
    sites: Arc<Sites>,
    figures: Arc<figures::Figures>,
    doorkeeper: Doorkeeper,
}

impl Front {
    pub(crate) fn new(sites: Arc<Sites>, figures: Arc<figures::Figures>, doorkeeper: Doorkeeper) -> Front {
        Front { sites, figures, doorkeeper }
    }

    /// The figures: for anybody on this machine, and for the office with its token.
    fn figures_page(&self, request: &Request<Body>) -> Response<Body> {
        if request.method() != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
        }
        let peer = Peer::ip(request.extensions().get());
        let sites = if peer.is_loopback() {
            self.sites.all()
        } else {
            match self.doorkeeper.admit(FIGURES_ROLES, request.headers(), peer) {
                // Somebody of one hospital sees nothing of another.
                Ok(admitted) => {
                    self.sites.served(admitted.principal.site).into_iter().map(|served| served.site).collect()
                }
                Err(refused) => {
                    let status = match refused.code() {
                        tonic::Code::PermissionDenied => StatusCode::FORBIDDEN,
                        tonic::Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
                        _ => StatusCode::UNAUTHORIZED,
                    };
                    return page(status, format!("{}\n", refused.message()));
                }
            }
        };
        let view = |site: &Arc<Site>| {
            (site.id(), site.exchange.read(switchboard::Switchboard::view), site.exchange.figures())
        };
        let views: Vec<_> = sites.iter().map(view).collect();
        let shown_in = self.sites.shown_in().map(|shown_in| shown_in.health().borrow().clone());
        let mut response = page(StatusCode::OK, self.figures.page(&views, shown_in.as_ref()));
        let kind = HeaderValue::from_static(figures::CONTENT_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

fn page(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::new(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

impl<S: Clone> Layer<S> for Front {
    type Service = Sorted<S>;

    fn layer(&self, inner: S) -> Sorted<S> {
        Sorted { front: self.clone(), web: GrpcWebLayer::new().layer(inner.clone()), grpc: inner }
    }
}

/// Services behind the front.
#[derive(Clone)]
pub(crate) struct Sorted<S> {
    front: Front,
    web: GrpcWebService<S>,
    grpc: S,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Sorted<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.grpc.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        if request.uri().path() == "/metrics" {
            let response = self.front.figures_page(&request);
            return Box::pin(async move { Ok(response) });
        }
        match kind(&request) {
            Kind::Grpc => Box::pin(self.grpc.call(request)),
            Kind::GrpcWeb => Box::pin(self.web.call(request)),
            Kind::GrpcOverOldHttp => {
                let mend = "gRPC needs HTTP/2; over HTTP/1.1 speak gRPC-Web\n".to_owned();
                Box::pin(async move { Ok(page(StatusCode::HTTP_VERSION_NOT_SUPPORTED, mend)) })
            }
            Kind::Other => {
                let mend = "there is no page here; this port speaks gRPC and gRPC-Web\n".to_owned();
                Box::pin(async move { Ok(page(StatusCode::NOT_FOUND, mend)) })
            }
        }
    }
}

enum Kind {
    Grpc,
    GrpcWeb,
    GrpcOverOldHttp,
    Other,
}

fn kind(request: &Request<Body>) -> Kind {
    let content = request.headers().get(header::CONTENT_TYPE);
    let content = content.and_then(|content| content.to_str().ok()).unwrap_or_default();
    if content.starts_with("application/grpc-web") {
        Kind::GrpcWeb
    } else if !content.starts_with("application/grpc") {
        Kind::Other
    } else if request.version() < Version::HTTP_2 {
        Kind::GrpcOverOldHttp
    } else {
        Kind::Grpc
    }
}
