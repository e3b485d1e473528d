//! `worker`: serves the devices of this machine to training on other machines.

use crate::cli::WorkerArgs;
use crate::error::CliError;

#[cfg(not(feature = "remote"))]
pub(crate) fn run(_args: &WorkerArgs) -> Result<(), CliError> {
    Err(model::BackendError::NotBuiltIn { feature: "remote" }.into())
}

#[cfg(feature = "remote")]
pub(crate) use serving::run;

#[cfg(feature = "remote")]
mod serving {
    use std::net::SocketAddr;

    use burn::tensor::server::{RemoteServer, TokenAuthorizer, WebSocketTransport};
    use model::{Backend, DeviceChoice};

    use super::{CliError, WorkerArgs};
    use crate::device;
    use crate::output::note;

    pub(crate) fn run(args: &WorkerArgs) -> Result<(), CliError> {
        let token = device::token(args.token_file.as_deref())?;
        let choices: Vec<DeviceChoice> = args.device.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        let resolved = args.listen.resolve()?;
        if let Some(address) = resolved.reachable_from_elsewhere().filter(|_| token.is_empty() && !args.open) {
            return Err(CliError::Unprotected { address });
        }
        let backends: Vec<Backend> = choices.iter().map(DeviceChoice::open).collect::<Result<_, _>>()?;
        if backends.iter().any(|backend| family(backend) != family(&backends[0])) {
            return Err(CliError::MixedDevices);
        }
        let listener = resolved.bind()?;
        let address = listener.local_addr().map_err(|error| CliError::Serve { reason: error.to_string() })?;
        let mut server = RemoteServer::new(backends.iter().map(|backend| backend.device.clone()));
        if !token.is_empty() {
            let authorizer = TokenAuthorizer::new(token).expect("it is not empty");
            server = server.with_authorizer(authorizer);
        }
        announce(&backends, address);
        let served = server.serve(WebSocketTransport::from_listener(listener));
        served.map_err(|error| CliError::Serve { reason: error.to_string() })
    }

    /// The backend of a device; all devices of a worker must have the same backend.
    fn family(backend: &Backend) -> &str {
        backend.name.split(':').next().unwrap_or_default()
    }

    fn announce(backends: &[Backend], address: SocketAddr) {
        let port = address.port();
        let host = if address.ip().is_unspecified() { "THIS_MACHINE".to_owned() } else { address.ip().to_string() };
        let host = if address.is_ipv6() && !address.ip().is_unspecified() { format!("[{host}]") } else { host };
        for (index, backend) in backends.iter().enumerate() {
            let suffix = if index == 0 { String::new() } else { format!("/{index}") };
            note(&format!("serving {}, {}: --device remote:{host}:{port}{suffix}", backend.name, backend.description));
        }
        note("until Ctrl-C");
    }
}
