//! Nothing that came over the wire, and no credential, is in an error, its sources, or a log line.

use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};

use opsroom_graph::inventory::{list_family, list_policies};
use opsroom_graph::simulator::{Fault, Faults, LEAKED_EMAIL, LEAKED_TOKEN, Rule, Target, When};
use opsroom_graph::{GraphError, PolicyFamily};
use secrecy::ExposeSecret;
use tracing_subscriber::fmt::MakeWriter;

use crate::served::Served;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Every way an error may be printed.
fn printed(error: &GraphError) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {}", error.code());
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn a_leaking_answer_leaks_nowhere() {
    let served = Served::generated(20).await;
    let secret = served.config().client_secret.expose_secret().to_owned();
    let forbidden = [
        LEAKED_TOKEN,
        LEAKED_EMAIL,
        &secret,
        "eyJ",
        "Bearer",
        "contoso.example",
        "skiptoken",
    ];

    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    for target in [Target::Graph, Target::Token] {
        for status in [400, 401, 403, 404, 409, 418, 429, 500, 503] {
            served.fault(target.clone(), When::Always, Fault::Leak(status));
            let error = list_family(&served.client(), PolicyFamily::SettingsCatalog)
                .await
                .expect_err("the answer is an error");
            for text in forbidden {
                assert!(
                    !printed(&error).contains(text),
                    "{status}: {}",
                    printed(&error)
                );
            }
        }
    }
    let log = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    assert!(log.contains("graph.throttled"), "the retries were logged");
    for text in forbidden {
        assert!(!log.contains(text), "{text} was logged: {log}");
    }
}

/// The other test would prove nothing if the leak were not on the wire.
#[tokio::test]
async fn the_leak_is_really_sent() {
    let served = Served::generated(1).await;
    served.weather(Faults::of(
        0,
        [Rule::new(Target::Token, When::Always, Fault::Leak(400))],
    ));
    // Building any client installs the TLS provider the HTTP library wants.
    let client = served.client();
    list_policies(&client).await;
    let address = served
        .simulator
        .base_url()
        .join(&format!("{}/oauth2/v2.0/token", served.tenant));
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .expect("a client");
    let answer = http
        .post(address.expect("an address"))
        .send()
        .await
        .expect("an answer");
    let headers = format!("{:?}", answer.headers());
    let body = answer.text().await.expect("a body");
    assert!(
        headers.contains(LEAKED_EMAIL) && headers.contains(LEAKED_TOKEN),
        "{headers}"
    );
    assert!(
        body.contains(LEAKED_EMAIL) && body.contains(LEAKED_TOKEN),
        "{body}"
    );
}

#[test]
fn clients_and_their_configuration_print_no_secret() {
    let fixture = opsroom_graph::simulator::TenantFixture::named("contoso", Vec::new());
    let secret = fixture.client_secret.expose_secret().to_owned();
    assert!(!format!("{fixture:?}").contains(&secret));
    let mut config =
        opsroom_graph::GraphConfig::global(fixture.guid, fixture.client_id, fixture.client_secret);
    config.proxy = Some(
        "http://proxy-user:proxy-word@127.0.0.1:9"
            .parse()
            .expect("an address"),
    );
    config.base_url = "http://127.0.0.1:9".parse().expect("an address");
    config.authority = config.base_url.clone();
    let client = opsroom_graph::GraphClient::new(config.clone()).expect("a client");
    for text in [format!("{config:?}"), format!("{client:?}")] {
        assert!(
            !text.contains(&secret) && !text.contains("proxy-word"),
            "{text}"
        );
    }
}
