//! Transactions: transfers between accounts keep their sum.

use super::context::{Context, Stop, Worker, command, value};
use super::{Occasion, Workload};
use crate::history::{Call, Value, counting};
use crate::reply::Reply;

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    id: "patterns/workload/transfers",
    title: "Transfers between accounts keep their sum, whoever looks",
    prose: "Stock, credits and balances move by `MULTI` … `EXEC`, `/multi-exec` over REST. If others \
            can see half of it, a report counts money that is nowhere, or twice. Where a client has a \
            connection, half of the transfers `WATCH` both accounts and write what they computed: \
            if that is not called off when another was faster, a transfer is lost.",
    eventual: false,
    occasions: &[Occasion::OVERLAP],
    run: |context| Box::pin(transfers(context)),
    check: |history| counting::sum(history).map(|()| Vec::new()),
}];

/// How many accounts there are, and what each holds at first.
const ACCOUNTS: u64 = 4;
const OPENING: i64 = 1_000;

/// What is moved, and from where to where.
struct Transfer<'k> {
    amount: i64,
    names: [String; 2],
    keys: [&'k [u8]; 2],
}

impl<'k> Transfer<'k> {
    fn any(worker: &mut Worker<'_>, keys: &'k [Vec<u8>]) -> Self {
        let from = worker.below(ACCOUNTS) as usize;
        let to = (from + 1 + worker.below(ACCOUNTS - 1) as usize) % keys.len();
        Transfer {
            amount: 1 + i64::try_from(worker.below(50)).unwrap_or(0),
            names: [from, to].map(name),
            keys: [&keys[from], &keys[to]],
        }
    }

    fn invoke<'c>(&self, worker: &Worker<'c>) -> Call<'c> {
        let between = self.names.join(" to ");
        let moved = [Value::Integer(self.amount), between.into()];
        worker.invoke("transfer", "accounts", moved)
    }
}

fn name(number: usize) -> String {
    format!("account-{number}")
}

async fn transfers(context: &Context) -> Result<(), Stop> {
    let keys: &Vec<Vec<u8>> = &(0..ACCOUNTS as usize)
        .map(|number| context.key(&name(number)))
        .collect();
    let mut bank = context.worker(context.settings.clients).await?;
    let (opening, kept) = (OPENING.to_string(), &context.kept_ms());
    for key in keys {
        let open = command([b"SET", key, opening.as_bytes(), b"PX", kept.as_bytes()]);
        bank.look(&open).await?;
    }
    let expected = OPENING * i64::try_from(keys.len()).unwrap_or(0);
    let balance: &Vec<Vec<u8>> = &std::iter::once(b"MGET".to_vec())
        .chain(keys.clone())
        .collect();
    let clients = context.settings.clients;
    let watches = context.capabilities().connection;
    if !watches {
        context.note("WATCH is not to be had here: every transfer adds and subtracts".to_owned());
    }
    context
        .all(clients, |mut worker| async move {
            while context.next() {
                if worker.index >= clients.div_ceil(2) {
                    let call = worker.invoke("total", "accounts", expected);
                    worker.perform(call, balance, total).await?;
                    continue;
                }
                let transfer = Transfer::any(&mut worker, keys);
                match watches && worker.chance(50) {
                    true => watched(&mut worker, &transfer, kept).await?,
                    false => at_once(&mut worker, &transfer).await?,
                }
            }
            Ok(())
        })
        .await?;
    let mut bank = context.caught_up(clients).await?;
    let call = bank.invoke("total", "accounts", expected);
    bank.perform(call, balance, total).await?;
    for (number, key) in keys.iter().enumerate() {
        let call = bank.invoke("balance", name(number), OPENING);
        bank.perform(call, &command([b"GET", key]), value).await?;
    }
    Ok(())
}

/// Subtracts here and adds there, whatever is in the accounts.
async fn at_once(worker: &mut Worker<'_>, transfer: &Transfer<'_>) -> Result<(), Stop> {
    let ([from, to], text) = (transfer.keys, transfer.amount.to_string());
    let both = [
        command([b"DECRBY", from, text.as_bytes()]),
        command([b"INCRBY", to, text.as_bytes()]),
    ];
    let call = transfer.invoke(worker);
    worker.perform_all(call, &both, |_| Value::Nil).await?;
    Ok(())
}

/// Writes what the accounts hold afterwards, unless they were changed meanwhile.
async fn watched(worker: &mut Worker<'_>, transfer: &Transfer<'_>, kept: &str) -> Result<(), Stop> {
    let [from, to] = transfer.keys;
    // All of it on one connection, or not at all.
    if worker
        .glance(&command([b"WATCH", from, to]))
        .await?
        .is_none()
    {
        return Ok(());
    }
    let held = worker.glance(&command([b"MGET", from, to])).await?;
    let Some(Value::List(held)) = held.as_ref().map(value) else {
        return Ok(());
    };
    let [Value::Integer(less), Value::Integer(more)] = held[..] else {
        return Ok(());
    };
    let less = (less - transfer.amount).to_string();
    let more = (more + transfer.amount).to_string();
    let both = [
        command([b"SET", from, less.as_bytes(), b"PX", kept.as_bytes()]),
        command([b"SET", to, more.as_bytes(), b"PX", kept.as_bytes()]),
    ];
    let call = transfer.invoke(worker);
    let done = |reply: &Reply| match reply {
        Reply::Nil => Value::Bool(false),
        _ => Value::Bool(true),
    };
    worker.perform_all(call, &both, done).await?;
    Ok(())
}

fn total(reply: &Reply) -> Value {
    match value(reply) {
        // Where reads come from a copy that trails, the accounts are not open yet.
        Value::List(balances) if balances.contains(&Value::Nil) => Value::Nil,
        Value::List(balances) => Value::Integer(balances.iter().filter_map(Value::integer).sum()),
        other => other,
    }
}
