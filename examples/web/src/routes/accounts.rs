// SPDX-License-Identifier: MIT OR Apache-2.0
//! Enrol, log in, log out, delete: a password first, then a living face before the camera, then what was asked for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, form, json_response};
use super::fence::Address;
use super::visit;
use crate::account::{Account, Busy, Desk, Errand, Fault, check_password, name, owner};
use crate::app::App;
use crate::random;
use crate::visitor::cookie;

/// A name and a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    name: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Granted {
    ticket: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    password: String,
}

impl From<Busy> for Refusal {
    fn from(_: Busy) -> Self {
        Self::busy()
    }
}

fn wrong(text: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "form", text)
}

/// Name and password alike: who guesses learns nothing.
fn not_right() -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "wrong",
        "There is no such account, or the password is another one.",
    )
}

fn desk(app: &App) -> Result<&Desk, Refusal> {
    let off = || Refusal::new(StatusCode::NOT_FOUND, "off", "The log-in demo is off.");
    app.desk.as_ref().ok_or_else(off)
}

/// The fence lets nobody through without one.
fn visitor(headers: &HeaderMap) -> Result<String, Refusal> {
    cookie(headers)
        .ok_or_else(|| Refusal::new(StatusCode::FORBIDDEN, "csrf", "Load the page again."))
}

/// Counts a try of this address with this name.
fn count(desk: &Desk, address: IpAddr, name: &str) -> Result<(), Refusal> {
    let now = Instant::now();
    desk.addresses
        .take(&owner(address), now)
        .map_err(Refusal::too_often)?;
    desk.names.take(name, now).map_err(Refusal::too_often)
}

fn ticket(desk: &Desk, visitor: &str, errand: Errand) -> Result<Response, Refusal> {
    let ticket = desk.tickets.issue(visitor, errand, Instant::now())?;
    let ticket = ticket.ok_or_else(Refusal::busy)?;
    Ok(json_response(StatusCode::OK, &json!({"ticket": ticket})))
}

/// A ticket to make an account, for whoever shows a living face with it.
pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (desk, visitor) = (desk(&app)?, visitor(&headers)?);
    let sent: Credentials = form(body).await?;
    let name = name(&sent.name).map_err(wrong)?;
    check_password(&sent.password).map_err(wrong)?;
    count(desk, address, &name)?;
    if desk.store.find(name.clone()).await?.is_some() {
        return Err(taken());
    }
    let password = desk.hasher.hash(sent.password).await??;
    ticket(desk, &visitor, Errand::Enrol { name, password })
}

fn taken() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "taken",
        "There is an account with this name.",
    )
}

/// A ticket to log in, for whoever knows the password and shows the right face with it, living.
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (desk, visitor) = (desk(&app)?, visitor(&headers)?);
    let sent: Credentials = form(body).await?;
    let name = name(&sent.name).map_err(|_| not_right())?;
    count(desk, address, &name)?;
    let account = desk.store.find(name).await?;
    let account = verified(desk, account, sent.password).await?;
    if account.model != desk.matcher.model() {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "model",
            "This account was made with another model that tells persons apart: its face cannot be compared. Delete it and enrol again.",
        ));
    }
    ticket(desk, &visitor, Errand::LogIn(account))
}

/// The account whose password this is.
async fn verified(
    desk: &Desk,
    account: Option<Account>,
    password: String,
) -> Result<Account, Refusal> {
    let hashed = account.as_ref().map(|a| a.password.clone());
    let fits = desk.hasher.verify(password, hashed).await?;
    account.filter(|_| fits).ok_or_else(not_right)
}

/// Does what a ticket was for, once its face was seen.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (desk, visitor) = (desk(&app)?, visitor(&headers)?);
    let sent: Granted = form(body).await?;
    let granted = desk.tickets.redeem(&sent.ticket, &visitor, Instant::now());
    let refused = || {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "face",
            "No living face was seen that fits.",
        )
    };
    let (errand, face) = granted.ok_or_else(refused)?;
    let account = match errand {
        Errand::LogIn(account) => account.id,
        Errand::Enrol { name, password } => {
            let model = desk.matcher.model().to_owned();
            let added = desk.store.add(name, password, face, model).await;
            added.map_err(|fault| match fault {
                Fault::Taken => taken(),
                Fault::Broken(error) => error.into(),
            })?
        }
    };
    // Another cookie than before: one that somebody put there is worth nothing.
    let cookie = random::token()?;
    desk.logins.remove(&visitor);
    if !desk.logins.add(cookie.clone(), account, Instant::now()) {
        return Err(Refusal::busy());
    }
    let mut response = visit::answer(&app, &cookie).await?;
    visit::give(&mut response, &cookie);
    Ok(response)
}

pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (desk, visitor) = (desk(&app)?, visitor(&headers)?);
    desk.logins.remove(&visitor);
    visit::answer(&app, &visitor).await
}

/// Deletes the account of whoever is logged in and knows the password.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (desk, visitor) = (desk(&app)?, visitor(&headers)?);
    let id = desk.logins.account(&visitor, Instant::now());
    let out = || {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "logged-out",
            "Nobody is logged in.",
        )
    };
    let id = id.ok_or_else(out)?;
    let sent: Password = form(body).await?;
    let account = desk.store.get(id).await?.ok_or_else(out)?;
    count(desk, address, &account.name)?;
    verified(desk, Some(account), sent.password).await?;
    desk.store.remove(id).await?;
    desk.logins.remove_account(id);
    visit::answer(&app, &visitor).await
}
