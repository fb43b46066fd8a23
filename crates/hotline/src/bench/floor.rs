//! Everybody who is connected to one service: a gateway, and desks whose operators are on duty.

use anyhow::{Context, Result};
use api::{Client, v1};
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::desk::Desk;
use super::gateway::{Gateway, LINE, ring_in};
use super::life::Lives;
use super::server::Doors;

/// Desks that are being opened at the same time.
const OPENING_MAX: usize = 32;

/// A staffed floor.
pub(super) struct Floor {
    pub(super) lives: Lives,
    gateway: Gateway,
    admin: Client,
    desks: Vec<Desk>,
}

impl Floor {
    /// A gateway and so many desks, each with a connection of its own.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub(super) async fn open(doors: &Doors, desks: usize) -> Result<Floor> {
        let lives = Lives::default();
        let gateway = Gateway::open(doors.client("gateway")?, &lives).await?;
        let mut floor = Floor { lives, gateway, admin: doors.client("admin")?, desks: Vec::new() };
        floor.grow(doors, desks).await?;
        Ok(floor)
    }

    /// Opens more desks, until there are so many.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub(super) async fn grow(&mut self, doors: &Doors, desks: usize) -> Result<()> {
        let opening = stream::iter(self.desks.len()..desks).map(|nth| self.open_desk(doors, nth));
        let opened: Vec<Desk> = opening.buffer_unordered(OPENING_MAX).try_collect().await?;
        self.desks.extend(opened);
        self.lives.check()
    }

    async fn open_desk(&self, doors: &Doors, nth: usize) -> Result<Desk> {
        let token = add_operator(&self.admin, &format!("operator-{nth}"), "").await?;
        Desk::open(doors.client_of(&token)?, Uuid::new_v4(), &self.lives).await
    }

    /// A caller rings in; returns when that is noted.
    ///
    /// # Errors
    /// When it is refused, or something else went wrong.
    pub(super) async fn ring_in(&self, call: Uuid) -> Result<()> {
        ring_in(self.gateway.client(), call).await.map(drop)
    }

    /// How many decisions the site has made.
    ///
    /// # Errors
    /// When the service cannot be reached.
    pub(super) async fn decisions(&self) -> Result<u64> {
        let plan = self.admin.send(v1::GetPlanRequest::default()).await.context("reading the plan")?;
        Ok(plan.cursor.unwrap_or_default().seq)
    }

    /// Everybody goes off duty, and the desks close.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub(super) async fn leave(self) -> Result<()> {
        for desk in &self.desks {
            desk.leave().await?;
        }
        self.lives.check()
    }
}

/// Adds an operator of the line the calls come in on; answers the token. Asked again with the same request it answers a
/// token anew; an empty request is a new one.
///
/// # Errors
/// When the service refuses or cannot be reached.
pub(super) async fn add_operator(admin: &Client, operator_id: &str, request_id: &str) -> Result<String> {
    let profile = v1::OperatorProfile {
        home_line_ids: vec![LINE.to_owned()],
        device: v1::DeviceKind::AutoAnswer.into(),
        ..Default::default()
    };
    let request = v1::AddOperatorRequest {
        request_id: request_id.to_owned(),
        operator_id: operator_id.to_owned(),
        profile: Some(profile),
    };
    Ok(admin.send(request).await.context("adding an operator")?.token)
}
