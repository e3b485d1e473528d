//! The address that a server listens on, as people write it: by number or by name.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::str::FromStr;

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `:8080` for every address of this machine.
///
/// ```
/// let address: serve::ListenAddress = "localhost:8080".parse()?;
/// assert_eq!(address.to_string(), "localhost:8080");
/// # Ok::<(), serve::ListenAddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Number(SocketAddr),
    Name {
        name: String,
        port: u16,
    },
    /// Every address of this machine.
    Every {
        port: u16,
    },
}

/// A text that is not an address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// The text has no port at its end.
    #[error(
        "a port is missing; an address looks like 127.0.0.1:8080, localhost:8080, [::1]:8080, or :8080 for all addresses"
    )]
    NoPort,
    /// What stands after the last colon is not a port.
    #[error("`{port}` is not a port; a port is a number from 0 to 65535")]
    Port {
        /// The text after the last colon.
        port: String,
    },
    /// What stands before the port is neither a name nor an address.
    #[error("`{host}` is neither a name nor an address; an IPv6 address stands in brackets, as in [::1]:8080")]
    Host {
        /// The text before the last colon.
        host: String,
    },
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// No address belongs to the name.
    #[error("cannot listen on {address}: no address is found for the name `{name}`")]
    Unresolved {
        /// The address as it was given.
        address: ListenAddress,
        /// The name in it.
        name: String,
        /// The reason.
        source: io::Error,
    },
    /// The system refuses the address.
    #[error("cannot listen on {address}{}", if *is_named { format!(" ({tried})") } else { String::new() })]
    Refused {
        /// The address as it was given.
        address: ListenAddress,
        /// The address in numbers.
        tried: SocketAddr,
        /// Whether the address was not given in numbers.
        is_named: bool,
        /// The reason.
        source: io::Error,
    },
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        if let Ok(address) = text.parse() {
            return Ok(Self(Form::Number(address)));
        }
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError::NoPort)?;
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let number = port.parse().ok().filter(|_| is_number);
        let port = number.ok_or_else(|| ListenAddressError::Port { port: port.to_owned() })?;
        if host.is_empty() {
            return Ok(Self(Form::Every { port }));
        }
        if host.contains(|c: char| c.is_whitespace() || c.is_control() || "/:[]@?#*".contains(c)) {
            return Err(ListenAddressError::Host { host: host.to_owned() });
        }
        Ok(Self(Form::Name { name: host.to_owned(), port }))
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self(Form::Number(address))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Number(address) => write!(f, "{address}"),
            Form::Name { name, port } => write!(f, "{name}:{port}"),
            Form::Every { port } => write!(f, ":{port}"),
        }
    }
}

impl ListenAddress {
    /// The name of the host, if the address has one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Form::Name { name, .. } => Some(name),
            Form::Number(_) | Form::Every { .. } => None,
        }
    }

    /// The address in numbers. A name may have several: those of IPv4 come first, since clients that know only one kind
    /// know that one.
    ///
    /// # Errors
    /// If no address belongs to the name.
    pub fn resolve(&self) -> Result<ResolvedAddress, ListenError> {
        let (first, others) = match &self.0 {
            Form::Number(address) => (*address, Vec::new()),
            // A socket for IPv6 takes connections of IPv4 as well; a system without IPv6 refuses it.
            Form::Every { port } => {
                ((Ipv6Addr::UNSPECIFIED, *port).into(), vec![(Ipv4Addr::UNSPECIFIED, *port).into()])
            }
            Form::Name { name, port } => {
                let unresolved = |source| ListenError::Unresolved { address: self.clone(), name: name.clone(), source };
                let mut found: Vec<_> = (name.as_str(), *port).to_socket_addrs().map_err(unresolved)?.collect();
                found.sort_by_key(SocketAddr::is_ipv6);
                let mut found = found.into_iter();
                (found.next().ok_or_else(|| unresolved(io::ErrorKind::NotFound.into()))?, found.collect())
            }
        };
        Ok(ResolvedAddress { given: self.clone(), first, others })
    }
}

/// An address to listen on, in numbers.
#[derive(Debug, Clone)]
pub struct ResolvedAddress {
    given: ListenAddress,
    first: SocketAddr,
    others: Vec<SocketAddr>,
}

impl ResolvedAddress {
    fn all(&self) -> impl Iterator<Item = SocketAddr> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// The first of its addresses that other machines may reach; `None` if only this machine reaches them.
    pub fn reachable_from_elsewhere(&self) -> Option<SocketAddr> {
        self.all().find(|address| !address.ip().is_loopback())
    }

    /// Listens on the first of the addresses that this machine has.
    ///
    /// # Errors
    /// If the port is taken, or the machine has none of the addresses, or the system refuses.
    pub fn bind(&self) -> Result<TcpListener, ListenError> {
        let mut bound = TcpListener::bind(self.first).map_err(|source| (self.first, source));
        for other in &self.others {
            match &bound {
                // A port that is taken is an error at once: on another address, clients would find whatever has taken it.
                Err((_, error)) if error.kind() != io::ErrorKind::AddrInUse => {
                    bound = TcpListener::bind(other).map_err(|source| (*other, source));
                }
                _ => break,
            }
        }
        let is_named = !matches!(self.given.0, Form::Number(_));
        bound.map_err(|(tried, source)| ListenError::Refused { address: self.given.clone(), tried, is_named, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ListenAddress {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn addresses_are_numbers_names_or_only_a_port() {
        for number in ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080", "[::]:0", "[fe80::1%2]:80"] {
            assert_eq!(parse(number).0, Form::Number(number.parse().expect("an address")), "{number}");
        }
        for (text, name) in [("localhost:8080", "localhost"), ("edge-1.example:80", "edge-1.example")] {
            assert_eq!(parse(text).name(), Some(name));
        }
        assert_eq!(parse(":8080").0, Form::Every { port: 8080 });
        for text in ["127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        let reason = |text: &str| text.parse::<ListenAddress>().expect_err(text).to_string();
        for (texts, part) in [
            (&["", "8080", "localhost", "127.0.0.1"][..], "a port is missing"),
            (&["localhost:", "localhost:http", ":65536", ":-1", ":+80"], "is not a port"),
            (&["::1:8080", "http://localhost:8080", "*:8080", "local host:80", "user@edge:80"], "in brackets"),
        ] {
            for text in texts {
                assert!(reason(text).contains(part), "{text}: {}", reason(text));
            }
        }
    }

    #[test]
    fn names_are_resolved_and_only_this_machine_reaches_localhost() {
        let local = parse("localhost:0").resolve().expect("every machine has it");
        assert!(local.all().all(|address| address.ip().is_loopback()), "{local:?}");
        assert!(local.all().is_sorted_by_key(|address| address.is_ipv6()), "{local:?}");
        assert_eq!(local.reachable_from_elsewhere(), None);
        assert!(local.bind().is_ok());
        let every = parse(":0").resolve().expect("it needs no name");
        assert!(every.reachable_from_elsewhere().is_some_and(|address| address.ip().is_unspecified()));
        let port = every.bind().expect("some port is free").local_addr().expect("it is bound").port();
        assert_ne!(port, 0);
        let error = parse("no-such-host.invalid:8080").resolve().expect_err("the name is reserved");
        assert!(error.to_string().contains("no address is found for the name `no-such-host.invalid`"), "{error}");
    }

    #[test]
    fn a_port_that_is_taken_is_not_passed_over_for_another_address() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let first = taken.local_addr().expect("it is bound");
        let second = (Ipv6Addr::LOCALHOST, first.port()).into();
        let given = parse(&format!("localhost:{}", first.port()));
        let resolved = ResolvedAddress { given, first, others: vec![second] };
        let error = resolved.bind().expect_err("it is taken").to_string();
        assert_eq!(error, format!("cannot listen on localhost:{} ({first})", first.port()));
    }
}
