//! Deciding a stream of workloads with one scheme, and writing the answers in the order of the input.

use std::io::{self, Write};

use data::exchange::{Answer, ExchangeError, Id, JointAnswer, Refusal, WorkloadReader, WorkloadRequest};
use serde::Serialize;
use sim::scheme::{self, Scheme};
use sim::{AllocationError, CostModel, Instance};

use crate::error::Error;
use crate::share_out::{self, TotalBandwidth};

/// The most workloads that are decided together, when they arrive faster than they are decided.
const CHUNK: usize = 4096;

/// What is answered besides the decision, and what happens to a workload that is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerOptions {
    /// A bandwidth that each answer also shares out among the uplinks.
    pub total: Option<TotalBandwidth>,
    /// Whether a workload that is refused is answered with what is wrong with it, rather than ending the answers.
    pub keep_going: bool,
}

/// Decides all workloads of an input and writes one JSON line for each, in the order of the input. With a `total`, each
/// answer also shares this bandwidth out among the uplinks.
///
/// If the input is JSON, answers are written whenever the input pauses, so that two programs can talk line by line. If it is
/// a table, answers are written after every 4096 workloads and at the end, in the order in which workloads are complete.
///
/// # Errors
/// If a workload is refused (the workloads before it are answered, with `keep_going` those behind it, too), the input cannot
/// be read or holds no workload, the scheme gives no decision, the bandwidth cannot be shared out, or an answer cannot be
/// written.
pub fn answer(
    workloads: &mut WorkloadReader<'_>,
    output: impl Write,
    scheme: &mut dyn Scheme,
    options: AnswerOptions,
) -> Result<(), Error> {
    let mut counts = Counts::default();
    match options.total {
        None => answer_all(workloads, output, scheme, options.keep_going, &mut counts)?,
        Some(total) => share_out_all(workloads, output, scheme, total, options.keep_going, &mut counts)?,
    }
    match counts {
        Counts { answered: 0, refused: 0 } => Err(workloads.empty().into()),
        Counts { refused: 0, .. } => Ok(()),
        Counts { answered, refused } => Err(Error::Refused { refused, workloads: answered + refused }),
    }
}

/// How many workloads were answered, and how many were refused.
#[derive(Debug, Default)]
struct Counts {
    answered: u64,
    refused: u64,
}

/// The head of an answer that waits for the decisions of its chunk.
enum Waiting {
    Decision(Option<Id>),
    Refusal(Box<Refusal>),
}

fn answer_all(
    workloads: &mut WorkloadReader<'_>,
    output: impl Write,
    scheme: &mut dyn Scheme,
    keep_going: bool,
    counts: &mut Counts,
) -> Result<(), Error> {
    let mut output = io::BufWriter::with_capacity(1 << 18, output);
    let (mut waiting, mut chunk) = (Vec::new(), Vec::new());
    loop {
        let more = match workloads.read_next() {
            Ok(Some(WorkloadRequest { id, instance, .. })) => {
                waiting.push(Waiting::Decision(id));
                chunk.push(instance);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(ExchangeError::Workload { refusal, .. }) if keep_going => {
                waiting.push(Waiting::Refusal(refusal));
                Ok(true)
            }
            Err(error) => Err(error),
        };
        let pauses = waiting.len() == CHUNK || !workloads.has_more_at_hand();
        if !waiting.is_empty() && (pauses || !matches!(more, Ok(true))) {
            counts.answered += chunk.len() as u64;
            counts.refused += (waiting.len() - chunk.len()) as u64;
            write_answers(&mut output, scheme, &mut waiting, &chunk)?;
            chunk.clear();
        }
        // An error in a line is returned only here, after the lines before it were answered.
        if !more? {
            return Ok(());
        }
    }
}

fn write_answers(
    output: &mut impl Write,
    scheme: &mut dyn Scheme,
    waiting: &mut Vec<Waiting>,
    instances: &[Instance],
) -> Result<(), Error> {
    let failed = |source| Error::Output { source };
    let solutions = scheme::decide_instances(scheme, instances)?;
    let mut decided = instances.iter().zip(&solutions);
    for waiting in waiting.drain(..) {
        match waiting {
            Waiting::Decision(id) => {
                let Some((instance, solution)) = decided.next() else { break };
                serde_json::to_writer(&mut *output, &Answer::new(id, instance, solution))
            }
            Waiting::Refusal(refusal) => serde_json::to_writer(&mut *output, &refusal),
        }
        .map_err(io::Error::from)
        .map_err(failed)?;
        output.write_all(b"\n").map_err(failed)?;
    }
    output.flush().map_err(failed)
}

/// Decides and answers one workload after the other: with several decisions for each, writing takes no time that counts.
fn share_out_all(
    workloads: &mut WorkloadReader<'_>,
    mut output: impl Write,
    scheme: &mut dyn Scheme,
    total: TotalBandwidth,
    keep_going: bool,
    counts: &mut Counts,
) -> Result<(), Error> {
    loop {
        let refusal = match workloads.read_next() {
            Ok(None) => return Ok(()),
            Ok(Some(WorkloadRequest { id, instance, .. })) => {
                let total_mbps = total.in_mbps(&instance.model);
                match total.share_out(scheme, &instance.model, &instance.workload) {
                    Ok(joint) => {
                        let model: CostModel = instance.model.at(&joint.environment)?;
                        let shared_out = Instance { model, workload: instance.workload };
                        write_line(&mut output, &JointAnswer::new(id, &shared_out, total_mbps, joint))?;
                        counts.answered += 1;
                        continue;
                    }
                    Err(error @ AllocationError::TooLittle { .. }) if keep_going => {
                        Box::new(Refusal { id, line: workloads.line(), error: error.to_string() })
                    }
                    Err(error) => return Err(share_out::failed(|| workloads.place(), error)),
                }
            }
            Err(ExchangeError::Workload { refusal, .. }) if keep_going => refusal,
            Err(error) => return Err(error.into()),
        };
        write_line(&mut output, &refusal)?;
        counts.refused += 1;
    }
}

fn write_line(output: &mut impl Write, answer: &impl Serialize) -> Result<(), Error> {
    let failed = |source| Error::Output { source };
    let mut line = serde_json::to_vec(answer).map_err(io::Error::from).map_err(failed)?;
    line.push(b'\n');
    output.write_all(&line).and_then(|()| output.flush()).map_err(failed)
}
