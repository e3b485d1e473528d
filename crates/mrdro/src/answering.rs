//! Deciding a stream of workloads with one scheme, and writing the answers in the order of the input.

use std::io::{self, Read, Write};

use data::exchange::{Answer, Id, JointAnswer, WorkloadReader, WorkloadRequest};
use sim::scheme::{self, Scheme};
use sim::{CostModel, Instance};

use crate::error::Error;
use crate::share_out::{self, TotalBandwidth};

/// The most workloads that are decided together, when they arrive faster than they are decided.
const CHUNK: usize = 4096;

/// Decides all workloads of an input and writes one JSON line for each, in the order of the input. With a `total`, each
/// answer also shares this bandwidth out among the uplinks.
///
/// If the input is JSON lines, answers are written whenever the input pauses, so that two programs can talk line by line. If
/// it is CSV, answers are written after every 4096 workloads and at the end.
///
/// # Errors
/// If a workload cannot be read (the workloads before it are answered), the input holds no workload, the scheme gives no
/// decision, the bandwidth cannot be shared out, or an answer cannot be written.
pub fn answer<R: Read>(
    workloads: WorkloadReader<'_, R>,
    output: impl Write,
    scheme: &mut dyn Scheme,
    total: Option<TotalBandwidth>,
) -> Result<(), Error> {
    match total {
        None => answer_all(workloads, output, scheme),
        Some(total) => share_out_all(workloads, output, scheme, total),
    }
}

fn answer_all<R: Read>(
    mut workloads: WorkloadReader<'_, R>,
    output: impl Write,
    scheme: &mut dyn Scheme,
) -> Result<(), Error> {
    let mut output = io::BufWriter::with_capacity(1 << 18, output);
    let (mut ids, mut chunk) = (Vec::new(), Vec::new());
    let mut answered = false;
    loop {
        let more = match workloads.read_next() {
            Ok(Some(WorkloadRequest { id, instance, .. })) => {
                ids.push(id);
                chunk.push(instance);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        let pauses = chunk.len() == CHUNK || !workloads.has_more_at_hand();
        if !chunk.is_empty() && (pauses || !matches!(more, Ok(true))) {
            write_answers(&mut output, scheme, &mut ids, &chunk)?;
            chunk.clear();
            answered = true;
        }
        // An error in a line is returned only here, after the lines before it were answered.
        if !more? {
            return if answered { Ok(()) } else { Err(workloads.empty().into()) };
        }
    }
}

fn write_answers(
    output: &mut impl Write,
    scheme: &mut dyn Scheme,
    ids: &mut Vec<Option<Id>>,
    instances: &[Instance],
) -> Result<(), Error> {
    let failed = |source| Error::Output { source };
    let solutions = scheme::decide_instances(scheme, instances)?;
    for ((id, instance), solution) in ids.drain(..).zip(instances).zip(&solutions) {
        let answer = Answer::new(id, instance, solution);
        serde_json::to_writer(&mut *output, &answer).map_err(io::Error::from).map_err(failed)?;
        output.write_all(b"\n").map_err(failed)?;
    }
    output.flush().map_err(failed)
}

/// Decides and answers one workload after the other: with several decisions for each, writing takes no time that counts.
fn share_out_all<R: Read>(
    mut workloads: WorkloadReader<'_, R>,
    mut output: impl Write,
    scheme: &mut dyn Scheme,
    total: TotalBandwidth,
) -> Result<(), Error> {
    let failed = |source| Error::Output { source };
    let mut answered = false;
    while let Some(WorkloadRequest { id, instance, .. }) = workloads.read_next()? {
        let total_mbps = total.in_mbps(&instance.model);
        let joint = total
            .share_out(scheme, &instance.model, &instance.workload)
            .map_err(|error| share_out::failed(|| workloads.place(), error))?;
        let model: CostModel = instance.model.at(&joint.environment)?;
        let shared_out = Instance { model, workload: instance.workload };
        let answer = JointAnswer::new(id, &shared_out, total_mbps, joint);
        let mut line = serde_json::to_vec(&answer).map_err(io::Error::from).map_err(failed)?;
        line.push(b'\n');
        output.write_all(&line).and_then(|()| output.flush()).map_err(failed)?;
        answered = true;
    }
    if answered { Ok(()) } else { Err(workloads.empty().into()) }
}
