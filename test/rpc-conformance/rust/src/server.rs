//! The server under test. It tells the runner where the client finds the plugin: an address, at which this program serves it, or the file from which the client starts it.

use std::path::{Path, PathBuf};

use anyplug::sdk::{ServeOptions, TlsOptions, listen};
use anyplug::{Error, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::convert::unavailable;
use crate::delimited::{read_message, write_message};
use crate::packages::connectrpc::conformance::v1::{ServerCompatRequest, ServerCompatResponse};
use crate::{MAX_MESSAGE_BYTES, plugin};

/// Runs until the runner ends it.
pub(crate) async fn run(transport: &str) -> Result<()> {
    let mut ended = signal(SignalKind::terminate()).map_err(unavailable)?;
    let request: Option<ServerCompatRequest> = read_message()?;
    let request = request.ok_or_else(|| Error::invalid_argument("the runner asks for nothing"))?;
    if request.message_receive_limit != MAX_MESSAGE_BYTES {
        return Err(Error::invalid_argument(format!("a limit of {}", request.message_receive_limit)));
    }
    let folder = std::env::temp_dir().join(format!("anyplug-rpc-conformance-{}", std::process::id()));
    let (address, tls) = match (request.use_tls, transport) {
        (true, _) => ("tls://127.0.0.1:0".to_owned(), Some(tls_options(&request))),
        (false, "tcp") => ("tcp://127.0.0.1:0".to_owned(), None),
        (false, "unix") => {
            std::fs::create_dir(&folder).map_err(unavailable)?;
            (format!("unix:{}/plugin.sock", folder.display()), None)
        }
        _ => {
            let program = std::env::current_exe().map_err(unavailable)?;
            report(program.display().to_string(), String::new())?;
            ended.recv().await;
            return Ok(());
        }
    };
    let certificate = tls.as_ref().map_or_else(String::new, |tls| tls.certificate.clone());
    let server = listen(vec![plugin()], ServeOptions { tls, ..ServeOptions::at(address) })?;
    report(server.address().to_string(), certificate)?;
    ended.recv().await;
    server.close();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(unavailable)?;
    }
    Ok(())
}

/// Both sides always show a certificate; the runner gives one to the server, and where the suite is about that, one to the client.
fn tls_options(request: &ServerCompatRequest) -> TlsOptions {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (certificate, key) =
        request.server_creds.as_ref().map_or_else(Default::default, |creds| (text(&creds.cert), text(&creds.key)));
    let ca = match &request.client_tls_cert[..] {
        [] => certificates().join("authority.pem").display().to_string(),
        own => text(own),
    };
    TlsOptions { certificate, key, ca, server_name: None }
}

/// Where the certificates of the repository's tests are.
pub(crate) fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../certificates")
}

fn report(host: String, certificate: String) -> Result<()> {
    // The runner wants a port; that of an address is part of it.
    write_message(&ServerCompatResponse { host, port: 1, pem_cert: certificate.into_bytes() })
}
