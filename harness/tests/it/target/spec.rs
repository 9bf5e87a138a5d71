//! What users write for a target, with the mistakes they make.

use swapcheck::target::{Secret, TargetKind, TargetSpec, redact_text};

use super::{says, spec};

#[track_caller]
fn check(text: &str, kind: TargetKind, name: &str, shown: &str) {
    let parsed = spec(text);
    assert_eq!(parsed.kind(), kind, "{text}");
    assert_eq!(parsed.name(), name, "{text}");
    assert_eq!(parsed.to_string(), shown, "{text}");
    assert!(!format!("{parsed:?}").contains("s3cr3t"), "{parsed:?}");
}

#[test]
fn targets_are_words_or_urls() {
    check("redis", TargetKind::Redis, "redis", "redis");
    check(" mock ", TargetKind::Mock, "mock", "mock");
    check("upstash", TargetKind::Upstash, "upstash", "upstash");
    check(
        "upstash-tcp",
        TargetKind::UpstashTcp,
        "upstash-tcp",
        "upstash-tcp",
    );
    check(
        "redis://me:s3cr3t@h:6379/2",
        TargetKind::RedisUrl,
        "redis://h:6379",
        "redis://me:redacted@h:6379/2",
    );
    check(
        "rediss://h",
        TargetKind::RedisUrl,
        "rediss://h",
        "rediss://h",
    );
    check(
        "prod=https://db.example.com?_token=s3cr3t",
        TargetKind::RestUrl,
        "prod",
        "https://db.example.com/?_token=redacted",
    );
}

#[track_caller]
fn wrong(text: &str, parts: &[&str]) {
    let error = text.parse::<TargetSpec>().expect_err(text);
    assert!(error.is_mistake(), "{text}");
    says(&error.to_string(), parts);
}

#[test]
fn typos_are_explained() {
    wrong(
        "reddis",
        &["'reddis' is not known", "did you mean 'redis'?"],
    );
    wrong("upstsh", &["did you mean 'upstash'?"]);
    wrong("postgres", &["is not known.", "redis://"]);
    wrong("", &["is not known"]);
    wrong("redis//h:1", &["is not known"]);
    wrong(
        "redsi://:s3cr3t@h",
        &["scheme 'redsi'", "redis:// or rediss://"],
    );
    wrong(
        "redis://u:s3cr3t@h:notaport",
        &["is not a URL", "redis://redacted@h:notaport"],
    );
    wrong("redis://u:s3cr3t/x@h:1", &["is not a URL"]);
    wrong("redis://h:0", &["port 0", "6379"]);
    wrong("redis://h/first", &["'/first'", "not a database number"]);
    wrong("redis://h?ssl=true", &["query parameter 'ssl'"]);
    wrong("redis=redis://h", &["stands for swapcheck's own target"]);
    wrong("a b=redis://h", &["target name 'a b'"]);
}

#[test]
fn secrets_are_never_printed() {
    let secret = Secret::new(" s3cr3t\n");
    assert_eq!(secret.expose(), "s3cr3t");
    assert_eq!(format!("{secret} {secret:?}"), "<redacted> <redacted>");
    assert_eq!(secret.redact("it is s3cr3t."), "it is <redacted>.");
    assert_eq!(redact_text("u:s3cr3t@h"), "redacted@h");
    assert_eq!(redact_text("plain"), "plain");
}
