//! Transactions: transfers between accounts keep their sum.

use super::Workload;
use super::context::{Context, Stop, command, value};
use super::lock::KEPT_MS;
use crate::history::{Value, counting};
use crate::reply::Reply;

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    id: "patterns/workload/transfers",
    title: "Transfers between accounts keep their sum, whoever looks",
    prose: "Stock, credits and balances move by `MULTI` … `EXEC`, `/multi-exec` over REST. If others \
            can see half of it, a report counts money that is nowhere, or twice.",
    eventual: false,
    run: |context| Box::pin(transfers(context)),
    check: |history| counting::sum(history).map(|()| Vec::new()),
}];

/// How many accounts there are, and what each holds at first.
const ACCOUNTS: u64 = 4;
const OPENING: i64 = 1_000;

async fn transfers(context: &Context) -> Result<(), Stop> {
    let keys: &Vec<Vec<u8>> = &(0..ACCOUNTS)
        .map(|number| context.key(&format!("account-{number}")))
        .collect();
    let mut bank = context.worker(context.settings.clients).await?;
    let opening = OPENING.to_string();
    for key in keys {
        let open = command([b"SET", key, opening.as_bytes(), b"PX", KEPT_MS.as_bytes()]);
        bank.prepare(&open).await?;
    }
    let expected = OPENING * i64::try_from(keys.len()).unwrap_or(0);
    let balance: &Vec<Vec<u8>> = &std::iter::once(b"MGET".to_vec())
        .chain(keys.clone())
        .collect();
    let clients = context.settings.clients;
    context
        .all(clients, |mut worker| async move {
            while context.next() {
                if worker.index < clients.div_ceil(2) {
                    let from = worker.below(ACCOUNTS) as usize;
                    let to = (from + 1 + worker.below(ACCOUNTS - 1) as usize) % keys.len();
                    let amount = 1 + i64::try_from(worker.below(50)).unwrap_or(0);
                    let text = amount.to_string();
                    let moved = [
                        Value::Integer(amount),
                        format!("account-{from} to account-{to}").into(),
                    ];
                    let call = worker.invoke("transfer", "accounts", moved);
                    let both = [
                        command([b"DECRBY", &keys[from], text.as_bytes()]),
                        command([b"INCRBY", &keys[to], text.as_bytes()]),
                    ];
                    worker.perform_all(call, &both, |_| Value::Nil).await?;
                } else {
                    let call = worker.invoke("total", "accounts", expected);
                    worker.perform(call, balance, total).await?;
                }
            }
            Ok(())
        })
        .await?;
    let call = bank.invoke("total", "accounts", expected);
    bank.perform(call, balance, total).await.map(|_| ())
}

fn total(reply: &Reply) -> Value {
    match value(reply) {
        Value::List(balances) => Value::Integer(balances.iter().filter_map(Value::integer).sum()),
        other => other,
    }
}
