//! Credentials that are missing, half set or mistaken for one another.

use swapcheck::target::{Environment, Opened, Options, open};

use super::{refused, says, spec};

fn with<const N: usize>(variables: [(&str, &str); N]) -> Options {
    Options {
        environment: Environment::of(variables),
        ..Options::default()
    }
}

#[tokio::test]
async fn absent_credentials_are_said_in_a_line() {
    for (target, variables) in [
        (
            "upstash",
            &["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"][..],
        ),
        ("upstash-tcp", &["UPSTASH_REDIS_URL"]),
    ] {
        match open(&spec(target), &with([("UPSTASH_REDIS_REST_TOKEN", "  ")])).await {
            Ok(Opened::Absent(reason)) => says(&reason, variables),
            Ok(Opened::Ready(_)) => panic!("{target} was opened"),
            Err(error) => panic!("{target}: {error}"),
        }
    }
}

#[tokio::test]
async fn mistakes_in_the_environment_are_explained() {
    let error = refused(
        "upstash",
        &with([("UPSTASH_REDIS_REST_URL", "https://a.b")]),
    )
    .await;
    assert!(error.is_mistake());
    says(&error.to_string(), &["UPSTASH_REDIS_REST_TOKEN is not"]);

    let error = refused("upstash", &with([("KV_REST_API_TOKEN", "s3cr3t")])).await;
    says(&error.to_string(), &["KV_REST_API_URL is not"]);

    let both = [
        ("UPSTASH_REDIS_REST_URL", "rediss://default:s3cr3t@a.b:6379"),
        ("UPSTASH_REDIS_REST_TOKEN", "s3cr3t"),
    ];
    let error = refused("upstash", &with(both)).await;
    assert!(error.is_mistake());
    says(
        &error.to_string(),
        &["should begin with https://", "REST (https://)"],
    );

    let quoted = [
        ("UPSTASH_REDIS_REST_URL", "\"https://a.b\""),
        ("UPSTASH_REDIS_REST_TOKEN", "s3cr3t"),
    ];
    let error = refused("upstash", &with(quoted)).await;
    says(&error.to_string(), &["take the quotes away"]);

    let error = refused("upstash-tcp", &with([("UPSTASH_REDIS_URL", "https://a.b")])).await;
    says(&error.to_string(), &["should begin with rediss://"]);

    let error = refused("https://a.invalid", &with([])).await;
    assert!(error.is_mistake());
    says(&error.to_string(), &["no token for https://a.invalid"]);

    let broken = [
        ("UPSTASH_REDIS_REST_URL", "https://a.b"),
        ("UPSTASH_REDIS_REST_TOKEN", "s3cr3t\nX: y"),
    ];
    let error = refused("upstash", &with(broken)).await;
    assert!(error.is_mistake());
    says(&error.to_string(), &["no HTTP header can carry"]);
}

#[tokio::test]
async fn a_certificate_file_is_read_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "not a certificate\n").unwrap();
    for (file, part) in [(missing, "cannot be read"), (empty, "holds no certificate")] {
        let options = Options {
            ca_file: Some(file),
            ..Options::default()
        };
        let error = refused("rediss://a.invalid", &options).await;
        assert!(error.is_mistake());
        says(&error.to_string(), &[part]);
    }
}
