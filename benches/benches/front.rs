//! The fronts against the best that the machine can do: REST against a bare axum server, RESP against
//! redis-server. Read the figures as ratios within one run.

use std::time::{Duration, Instant};

use benches::client::{Framing, Repeater, drive, http_post, resp};
use benches::server::{RedisServer, bare_axum};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hdrhistogram::Histogram;
use mock_upstash::MockUpstash;
use tokio::runtime::Runtime;

fn rest(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let axum = runtime.block_on(bare_axum());
    let mock = runtime
        .block_on(MockUpstash::builder().start())
        .expect("a free port");
    let mock_address = mock
        .url()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let set = http_post("/", mock.token(), r#"["SET","k","v"]"#);
    let get = http_post("/", mock.token(), r#"["GET","k"]"#);
    let rows = vec![r#"["GET","k"]"#; 50].join(",");
    let pipeline = http_post("/pipeline", mock.token(), &format!("[{rows}]"));
    for connections in [1, 32] {
        let cases = [
            ("bare axum", axum, &get, 1),
            ("SET", mock_address, &set, 1),
            ("GET", mock_address, &get, 1),
            ("pipeline of 50 GET", mock_address, &pipeline, 50),
        ];
        let mut group = criterion.benchmark_group(format!("rest, {connections} connections"));
        for (name, address, request, commands) in cases {
            group.throughput(Throughput::Elements(commands));
            group.bench_function(name, |bencher| {
                let mut latencies = Histogram::new(3).expect("three digits");
                bencher.iter_custom(|count| {
                    runtime.block_on(measure(
                        address,
                        request,
                        Framing::Http,
                        connections,
                        count,
                        &mut latencies,
                    ))
                });
                println!(
                    "{name}: p50 {} us, p99 {} us",
                    latencies.value_at_quantile(0.5),
                    latencies.value_at_quantile(0.99)
                );
            });
        }
        group.finish();
    }
    runtime.block_on(mock.stop());
}

fn resp_front(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mock = runtime
        .block_on(MockUpstash::builder().token("secret").start())
        .expect("a free port");
    let url = mock.redis_url().expect("spoken by default");
    let mock_address = url
        .rsplit('@')
        .next()
        .and_then(|address| address.parse().ok())
        .expect("an address");
    let redis = RedisServer::start();
    let mut servers = vec![("mock-upstash", mock_address, true)];
    servers.extend(
        redis
            .as_ref()
            .map(|redis| ("redis-server", redis.address, false)),
    );
    for (connections, depth) in [(1, 1), (32, 1), (1, 16), (32, 16)] {
        let mut group = criterion.benchmark_group(format!(
            "resp, {connections} connections, pipelines of {depth}"
        ));
        group.throughput(Throughput::Elements(depth));
        for (name, address, password) in &servers {
            let mut request = Vec::new();
            for _ in 0..depth {
                request.extend(resp(&["GET", "k"]));
            }
            group.bench_function(*name, |bencher| {
                let mut latencies = Histogram::new(3).expect("three digits");
                bencher.iter_custom(|count| {
                    runtime.block_on(async {
                        let mut all = Vec::new();
                        for _ in 0..connections {
                            if *password {
                                let auth = resp(&["AUTH", "secret"]);
                                let mut connection =
                                    Repeater::connect(*address, auth, Framing::Lines(1)).await;
                                connection.round_trip().await;
                                all.push(
                                    connection
                                        .repeating(request.clone(), Framing::Lines(depth as usize)),
                                );
                            } else {
                                all.push(
                                    Repeater::connect(
                                        *address,
                                        request.clone(),
                                        Framing::Lines(depth as usize),
                                    )
                                    .await,
                                );
                            }
                        }
                        drive(all, count, &mut latencies).await.0
                    })
                });
                println!(
                    "{name}: p50 {} us, p99 {} us",
                    latencies.value_at_quantile(0.5),
                    latencies.value_at_quantile(0.99)
                );
            });
        }
        group.finish();
    }
    runtime.block_on(mock.stop());
}

/// How long until a mock has answered its first request.
fn start(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    criterion.bench_function("started to first answer", |bencher| {
        bencher.iter_custom(|count| {
            runtime.block_on(async {
                let mut total = Duration::ZERO;
                for _ in 0..count {
                    let start = Instant::now();
                    let mock = MockUpstash::builder().start().await.expect("a free port");
                    let address = mock
                        .url()
                        .trim_start_matches("http://")
                        .parse()
                        .expect("an address");
                    let request = http_post("/", mock.token(), r#"["PING"]"#);
                    Repeater::connect(address, request, Framing::Http)
                        .await
                        .round_trip()
                        .await;
                    total += start.elapsed();
                    mock.stop().await;
                }
                total
            })
        });
    });
}

async fn measure(
    address: std::net::SocketAddr,
    request: &[u8],
    framing: Framing,
    connections: usize,
    count: u64,
    latencies: &mut Histogram<u64>,
) -> Duration {
    let mut all = Vec::new();
    for _ in 0..connections {
        all.push(Repeater::connect(address, request.to_vec(), framing).await);
    }
    drive(all, count, latencies).await.0
}

criterion_group! {
    name = fronts;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = rest, resp_front, start
}
criterion_main!(fronts);
