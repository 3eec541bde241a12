// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where this is: the name and the addresses of the machine, and its place as the configuration or GeoClue knows it. Asks nobody in the network.

use std::time::{Duration, Instant};

use serde::Serialize;
use zbus::blocking::Connection;
use zbus::zvariant::OwnedObjectPath;

use crate::bus;
use crate::config;

/// How long GeoClue may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked.
const LOOK: Duration = Duration::from_millis(200);

const GEOCLUE: &str = "org.freedesktop.GeoClue2";
const CLIENT: &str = "org.freedesktop.GeoClue2.Client";
const LOCATION: &str = "org.freedesktop.GeoClue2.Location";

/// Where it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) host: String,
    pub(crate) addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
}

impl Place {
    /// As it is now: addresses change, and laptops are carried about.
    pub(crate) fn now(config: &config::Place) -> Self {
        Self {
            name: config.name.clone(),
            host: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            addresses: addresses(),
            location: location(config),
        }
    }

    /// What it is called in a sentence.
    pub(crate) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.host)
    }
}

/// Of all interfaces but the machine's own.
fn addresses() -> Vec<String> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let others = all.iter().filter(|i| !i.is_loopback());
    others.map(|i| format!("{} ({})", i.ip(), i.name)).collect()
}

fn location(config: &config::Place) -> Option<String> {
    let mut parts: Vec<String> = config.address.iter().cloned().collect();
    if let (Some(latitude), Some(longitude)) = (config.latitude, config.longitude) {
        parts.push(format!("{latitude:.5}, {longitude:.5}"));
    }
    if config.geoclue {
        parts.push(match geoclue() {
            Ok(place) => place,
            Err(e) => format!("GeoClue does not know it: {}", bus::reason(&e)),
        });
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What GeoClue knows.
fn geoclue() -> zbus::Result<String> {
    let bus = bus::system(PATIENCE)?;
    let manager = "/org/freedesktop/GeoClue2/Manager";
    let interface = Some("org.freedesktop.GeoClue2.Manager");
    let client = bus.call_method(Some(GEOCLUE), manager, interface, "GetClient", &())?;
    let client: OwnedObjectPath = client.body().deserialize()?;
    let properties = Some("org.freedesktop.DBus.Properties");
    let id = zbus::zvariant::Value::from("liveness-guard");
    bus.call_method(
        Some(GEOCLUE),
        &client,
        properties,
        "Set",
        &(CLIENT, "DesktopId", id),
    )?;
    bus.call_method(Some(GEOCLUE), &client, Some(CLIENT), "Start", &())?;
    let found = wait(&bus, &client);
    // It would look on for as long as this program is there.
    let stopped = bus.call_method(Some(GEOCLUE), &client, Some(CLIENT), "Stop", &());
    let text = found?;
    stopped?;
    Ok(text)
}

/// Asks until there is an answer.
fn wait(bus: &Connection, client: &OwnedObjectPath) -> zbus::Result<String> {
    let start = Instant::now();
    loop {
        let place = bus::property(bus, GEOCLUE, client, CLIENT, "Location")?;
        let place = OwnedObjectPath::try_from(place)?;
        if place.as_str() != "/" {
            let number = |name| {
                f64::try_from(bus::property(bus, GEOCLUE, &place, LOCATION, name)?)
                    .map_err(zbus::Error::from)
            };
            let (latitude, longitude) = (number("Latitude")?, number("Longitude")?);
            return Ok(format!(
                "{latitude:.5}, {longitude:.5} (GeoClue, within {:.0} m)",
                number("Accuracy")?
            ));
        }
        if start.elapsed() >= PATIENCE {
            return Err(zbus::Error::Failure(format!(
                "no answer for {} s",
                PATIENCE.as_secs()
            )));
        }
        std::thread::sleep(LOOK);
    }
}
