//! What swapcheck says a run is billed, held against what the mock counted: the whole suite, over REST
//! and over TCP. The two have no code in common.

use mock_upstash::{MockUpstash, Usage};
use swapcheck::suite::{Selection, load};
use swapcheck::target::{Target, TargetKind};

use crate::fault::{hurried, opened, tried};

/// What one scenario was billed, as one side counts.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    /// Commands that were sent, those that ask what the server can do included.
    sent: u64,
    /// Of the scenario's commands, the ones that write, where it has no script.
    writes: Option<u64>,
}

/// What was counted for calls of scripts, over the suite.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scripts {
    estimated: u64,
    counted: u64,
}

/// Runs the suite without its waits; answers how many commands it sent, and those of scripts.
async fn compare(over: &str) -> (u64, Scripts) {
    let mock = MockUpstash::builder().start().await.expect("a free port");
    let url = match over {
        "REST" => format!("{}?_token={}", mock.url(), mock.token()),
        _ => mock.redis_url().expect("spoken by default"),
    };
    let real = opened(&url).await;
    let mut target = Target::around("mock", TargetKind::Mock, real.connector.clone(), true);
    target.version.clone_from(&real.version);
    let suite = load(&Selection::default()).expect("the suite is well-formed");
    let (mut sent, mut scripts) = (0, Scripts::default());
    let mut differing = Vec::new();
    for planned in suite.iter().map(hurried) {
        let (before, said_before) = (mock.usage(), target.billable());
        let billed = tried(&target, &planned).await.billed;
        let (after, said) = (mock.usage(), target.billable() - said_before);
        let of = |counter: fn(&Usage) -> u64| counter(&after) - counter(&before);
        let called = of(|usage| usage.script_commands);
        // The server is asked for commands that it may lack by sending them without arguments.
        let comparable = billed.estimated == 0 && called == 0 && said == billed.commands;
        let said = Count {
            sent: said - billed.estimated,
            writes: comparable.then_some(billed.writes),
        };
        let counted = Count {
            sent: of(|usage| usage.commands),
            writes: comparable.then(|| of(|usage| usage.writes)),
        };
        sent += said.sent;
        scripts.estimated += billed.estimated;
        scripts.counted += called;
        let id = &planned.scenario.id;
        // What a limit refuses is not billed, and that it will be is not known when it is sent.
        let agree = match id.starts_with("cache/limit/") {
            true => said.sent >= counted.sent,
            false => said == counted,
        };
        if !agree {
            differing.push(format!("{id}: said {said:?}, counted {counted:?}"));
        }
    }
    let differing = differing.join("\n");
    assert!(differing.is_empty(), "over {over}:\n{differing}");
    (sent, scripts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_estimate_is_what_the_mock_counts() {
    for over in ["REST", "TCP"] {
        let (sent, scripts) = compare(over).await;
        println!("over {over}: {sent} sent, {scripts:?}");
        assert!(sent > 1000, "{sent} over {over}");
        let Scripts { estimated, counted } = scripts;
        assert!(counted > 0 && estimated > 0, "{scripts:?}");
    }
}
