//! Tokens that are missing, made up, expired, revoked, or reach less far than what is asked.

use serde_json::json;
use tests::http::Request;
use tests::publisher::Publisher;
use tests::{Registry, World};

struct Desk {
    registry: Registry,
    publisher: Publisher,
    world: World,
}

fn open() -> Desk {
    let world = World::new();
    let registry = world.registry();
    let publisher = Publisher::register(&registry, "alice", "acme", 7);
    assert_eq!(publisher.publish(&registry, &publisher.release("pdf", "1.0.0")).status, 201);
    Desk { registry, publisher, world }
}

impl Desk {
    /// A token of Alice's that may do this, there.
    fn token(&self, actions: &[&str], scopes: &[&str]) -> (String, String) {
        let body = json!({"actions": actions, "scopes": scopes, "expires_days": 1});
        let answer =
            self.registry.send(&Request::new("POST", "/api/v1/tokens").token(&self.publisher.token).json(&body));
        assert_eq!(answer.status, 201, "{}", answer.text());
        let made = answer.json();
        let text = |key: &str| made[key].as_str().expect("a text").to_owned();
        (text("token"), text("id"))
    }

    /// Every change that there is, as a request without a token.
    fn changes(&self) -> Vec<Request> {
        let release = self.publisher.release("pdf", "1.1.0");
        let parts: &[(&str, &[u8])] = &[("bundle", &self.publisher.sign(&release)), ("archive", &release.archive)];
        vec![
            Request::new("POST", "/api/v1/publish").parts(parts),
            Request::new("POST", "/api/v1/yank/acme/pdf/1.0.0").json(&json!({"reason": "x"})),
            Request::new("POST", "/api/v1/unyank/acme/pdf/1.0.0").json(&json!({"reason": "x"})),
            Request::new("POST", "/api/v1/scopes").json(&json!({"name": "beta"})),
            Request::new("PUT", "/api/v1/scopes/acme/keyring").body("{}"),
            Request::new("POST", "/api/v1/tokens").json(&json!({"actions": ["publish"], "scopes": ["*"]})),
            Request::new("DELETE", "/api/v1/tokens/0123456789abcdef"),
            Request::new("GET", "/api/v1/tokens"),
            Request::new("GET", "/api/v1/me"),
        ]
    }

    #[track_caller]
    fn refuses_all(&self, token: Option<&str>, status: u16, code: &str) {
        let before = self.registry.get("/index/acme/pdf").body;
        for request in self.changes() {
            let shown = format!("{request:?}");
            let request = token.map_or(request.clone(), |token| request.token(token));
            let answer = self.registry.send(&request);
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", &shown[..60]);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        assert_eq!(self.registry.get("/index/acme/pdf").body, before);
    }
}

#[test]
fn a_stranger_changes_nothing() {
    let desk = open();
    desk.refuses_all(None, 401, "token-missing");
}

#[test]
fn a_made_up_token_changes_nothing() {
    let desk = open();
    desk.refuses_all(Some(&format!("skr_{}", "A".repeat(43))), 401, "token-unknown");
    desk.refuses_all(Some("hunter2"), 401, "token-malformed");
}

#[test]
fn a_revoked_token_changes_nothing() {
    let desk = open();
    let (token, id) = desk.token(&["publish", "yank", "scope", "token"], &["*"]);
    let revoke = Request::new("DELETE", format!("/api/v1/tokens/{id}")).token(&desk.publisher.token);
    assert_eq!(desk.registry.send(&revoke).status, 204);
    desk.refuses_all(Some(&token), 401, "token-revoked");
}

/// Time cannot be waited for, so the row is aged: the operator's own database, as sqlite3 would edit it.
#[test]
fn an_expired_token_changes_nothing() {
    let mut desk = open();
    let (token, _) = desk.token(&["publish", "yank", "scope", "token"], &["*"]);
    desk.registry.kill();
    let bob = desk.world.stranger("operator");
    if !tests::tools::have("python3", "--version") {
        return;
    }
    let age = "import sqlite3,sys\nd=sqlite3.connect(sys.argv[1])\nd.execute('update tokens set expires=1 where expires < (select max(expires) from tokens)')\nd.commit()";
    let database = desk.registry.data().join("registry.sqlite");
    bob.run("python3", &["-c", age, &database.to_string_lossy()]).ok();
    desk.registry.resume();
    desk.refuses_all(Some(&token), 401, "token-expired");
}

#[test]
fn a_token_out_of_scope_changes_nothing() {
    let desk = open();
    desk.registry.scope("beta", "alice");
    let (token, _) = desk.token(&["publish", "yank"], &["beta"]);
    let before = desk.registry.get("/index/acme/pdf").body;
    for request in &desk.changes()[..3] {
        let answer = desk.registry.send(&request.clone().token(&token));
        assert_eq!((answer.status, answer.code().as_str()), (403, "token-out-of-scope"));
    }
    assert_eq!(desk.registry.get("/index/acme/pdf").body, before);
}

#[test]
fn a_token_that_may_only_read_its_name_does_not_publish_yank_or_multiply() {
    let desk = open();
    let (token, _) = desk.token(&["yank"], &["acme"]);
    for (at, request) in desk.changes().iter().enumerate().filter(|(at, _)| ![1, 2, 8].contains(at)) {
        let answer = desk.registry.send(&request.clone().token(&token));
        assert_eq!((answer.status, answer.code().as_str()), (403, "token-out-of-scope"), "request {at}");
    }
}

#[test]
fn another_users_token_does_not_publish_yank_or_register() {
    let desk = open();
    let other = desk.registry.user("mallory");
    for at in [0, 1, 2, 4] {
        let answer = desk.registry.send(&desk.changes()[at].clone().token(&other));
        assert_eq!((answer.status, answer.code().as_str()), (403, "not-owner"), "request {at}");
    }
}

#[test]
fn no_token_is_in_the_log_or_in_the_data() {
    let desk = open();
    let (token, _) = desk.token(&["publish"], &["*"]);
    desk.registry.send(&desk.changes()[0].clone().token(&token));
    let secrets = [&token, &desk.publisher.token];
    for secret in secrets {
        assert!(!desk.registry.log().contains(secret.as_str()));
        for entry in std::fs::read_dir(desk.registry.data()).expect("the data folder") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).unwrap_or_default();
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn a_token_gone_wild_and_a_guesser_are_slowed_down() {
    let world = World::new();
    let registry =
        world.registry_with("[rates]\nwrites-per-minute = 1\nwrites-burst = 4\nfailed-auth-per-minute = 3\n");
    let publisher = Publisher::register(&registry, "alice", "acme", 7);
    let status = |number: u32| publisher.publish(&registry, &publisher.release("pdf", &format!("1.{number}.0"))).status;
    let seen: Vec<u16> = (0..5).map(status).collect();
    assert_eq!((seen[0], seen[4]), (201, 429), "{seen:?}");
    let guess = Request::new("GET", "/api/v1/me").token(&format!("skr_{}", "A".repeat(43)));
    let seen: Vec<u16> = (0..6).map(|_| registry.send(&guess).status).collect();
    assert_eq!((seen[0], seen[5]), (401, 429), "{seen:?}");
    // Whoever has a right token behind the same address is not shut out.
    assert_eq!(registry.send(&Request::new("GET", "/api/v1/me").token(&publisher.token)).status, 200);
}
