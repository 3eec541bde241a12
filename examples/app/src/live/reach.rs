// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a machine cannot be reached. GStreamer 1.22 says the same of a name that does not exist, of a machine that is off and of a server
//! that does not run. Knows the network alone.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::address::Address;
use crate::files;

/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(3);

/// What keeps us from a camera; none where somebody answers.
pub(super) fn obstacle(address: &Address) -> Option<String> {
    let (host, port) = address.host();
    let found = match (host, port).to_socket_addrs() {
        Ok(found) => found.collect::<Vec<_>>(),
        Err(error) => {
            return Some(format!(
                "the name {host} cannot be resolved ({})",
                plain(&error)
            ));
        }
    };
    let Some(first) = found.first() else {
        return Some(format!("the name {host} has no address"));
    };
    let knock = |to: &SocketAddr| TcpStream::connect_timeout(to, ANSWER).err();
    let error = knock(first)?;
    // A name may stand for an old and a new kind of address, of which the server has only one.
    if found[1..].iter().any(|to| knock(to).is_none()) {
        return None;
    }
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => format!("nobody listens on {host}:{port}"),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no answer from {host}:{port}"),
        _ => format!("{host}:{port} cannot be reached ({})", plain(&error)),
    })
}

/// What the system says of a name or a machine.
fn plain(error: &io::Error) -> String {
    let text = files::reason(error);
    let said = text.strip_prefix("failed to lookup address information: ");
    said.map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle_at(text: &str) -> Option<String> {
        obstacle(&Address::parse(text).unwrap())
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let unknown = obstacle_at("rtsp://no-such-camera.invalid/x").unwrap();
        assert!(
            unknown.starts_with("the name no-such-camera.invalid cannot be resolved"),
            "{unknown}"
        );
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!(
            "rtsp://127.0.0.1:{}/x",
            listener.local_addr().unwrap().port()
        );
        assert_eq!(obstacle_at(&at), None);
        drop(listener);
        let refused = obstacle_at(&at).unwrap();
        assert!(
            refused.starts_with("nobody listens on 127.0.0.1:"),
            "{refused}"
        );
    }
}
