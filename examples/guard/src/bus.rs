// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system's D-Bus, with a limit to each answer.

use std::time::Duration;

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::zvariant::{ObjectPath, OwnedValue};

/// The system's bus, where each answer may take so long. `DBUS_SYSTEM_BUS_ADDRESS` names another one.
///
/// # Errors
/// Where there is none.
pub(crate) fn system(limit: Duration) -> zbus::Result<Connection> {
    Builder::system()?.method_timeout(limit).build()
}

/// A property of an object.
///
/// # Errors
/// Where it is not told.
pub(crate) fn property(
    bus: &Connection,
    service: &str,
    object: &ObjectPath,
    interface: &str,
    name: &str,
) -> zbus::Result<OwnedValue> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let answer = bus.call_method(Some(service), object, properties, "Get", &(interface, name))?;
    answer.body().deserialize()
}

/// What a user reads of an error.
pub(crate) fn reason(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(name, text, _) => text.clone().unwrap_or_else(|| name.to_string()),
        zbus::Error::InputOutput(error) => {
            format!("there is no D-Bus: {}", liveness_app::files::reason(error))
        }
        other => other.to_string(),
    }
}
