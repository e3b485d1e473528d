//! Workloads in, answers out: files or standard input to answers on standard output.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write};

use data::exchange::{Answer, JointAnswer, Named, WorkloadReader};
use sim::scheme::{Scheme, Solution};
use sim::{CostModel, SchemeError, Workload};

use crate::error::Error;
use crate::share_out::{self, Total};

/// Workloads decided at once, when they come faster than they are decided.
const CHUNK: usize = 4096;

/// Opens a file, or standard input for `-`.
pub fn open<'m>(name: &str, model: &'m CostModel) -> Result<WorkloadReader<'m, Box<dyn Read>>, Error> {
    let (origin, input): (_, Box<dyn Read>) = if name == "-" {
        ("standard input", Box::new(io::stdin()))
    } else {
        let file = File::open(name).map_err(|source| Error::Unreadable { path: name.into(), source })?;
        (name, Box::new(file))
    };
    Ok(WorkloadReader::new(origin, input, model)?)
}

/// Decides all workloads of an input and prints the answers in the order of the input, with uplinks if a total is to be
/// shared out.
pub fn answer(
    input: &str,
    scheme: &mut dyn Scheme,
    model: &CostModel,
    total: Option<Total>,
) -> Result<(), Error> {
    match total {
        None => answer_all(input, scheme, model),
        Some(total) => share_out_all(input, scheme, model, total),
    }
}

/// Answers to JSON lines go out as soon as the input pauses, so that a program can talk to this one line by line; answers
/// to CSV when many have come or the input ends.
fn answer_all(input: &str, scheme: &mut dyn Scheme, model: &CostModel) -> Result<(), Error> {
    let mut workloads = open(input, model)?;
    let mut output = io::BufWriter::with_capacity(1 << 18, io::stdout().lock());
    let (mut ids, mut chunk, mut models) = (Vec::new(), Vec::new(), Vec::new());
    let mut answered = false;
    let failed = |source| Error::Output { source };
    loop {
        let next = workloads.read_next();
        let more = match next {
            Ok(Some(Named { id, workload, environment })) => {
                ids.push(id);
                chunk.push(workload);
                models.push(match environment {
                    None => Cow::Borrowed(model),
                    Some(environment) => Cow::Owned(model.entered(&environment)?),
                });
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        let pauses = chunk.len() == CHUNK || !workloads.has_more_at_hand();
        if !chunk.is_empty() && (pauses || !matches!(more, Ok(true))) {
            let solutions = decide_all(scheme, model, &models, &chunk)?;
            for (((id, model), workload), solution) in ids.drain(..).zip(&models).zip(&chunk).zip(solutions) {
                let answer = Answer::new(id, model, workload, &solution);
                serde_json::to_writer(&mut output, &answer).map_err(io::Error::from).map_err(failed)?;
                output.write_all(b"\n").map_err(failed)?;
            }
            models.clear();
            answered = true;
            chunk.clear();
            output.flush().map_err(failed)?;
        }
        // Lines before a wrong one have been answered.
        if !more? {
            return if answered { Ok(()) } else { Err(workloads.empty().into()) };
        }
    }
}

/// Each answer goes out as soon as it is found: deciding several times takes longer than writing.
fn share_out_all(input: &str, scheme: &mut dyn Scheme, model: &CostModel, total: Total) -> Result<(), Error> {
    let mut workloads = open(input, model)?;
    let mut output = io::stdout().lock();
    let failed = |source| Error::Output { source };
    let mut answered = false;
    while let Some(Named { id, workload, environment }) = workloads.read_next()? {
        let mut model = model.clone();
        if let Some(environment) = environment {
            model.enter(&environment)?;
        }
        let total_mbps = total.in_mbps(&model);
        let joint = total
            .share_out(scheme, &model, &workload)
            .map_err(|error| share_out::failed(|| workloads.place(), error))?;
        model.enter(&joint.environment)?;
        let answer = JointAnswer::new(id, &model, &workload, total_mbps, joint);
        let mut line = serde_json::to_vec(&answer).map_err(io::Error::from).map_err(failed)?;
        line.push(b'\n');
        output.write_all(&line).and_then(|()| output.flush()).map_err(failed)?;
        answered = true;
    }
    if answered { Ok(()) } else { Err(workloads.empty().into()) }
}

/// All at once where all are decided in the same environment.
fn decide_all(
    scheme: &mut dyn Scheme,
    model: &CostModel,
    models: &[Cow<'_, CostModel>],
    workloads: &[Workload],
) -> Result<Vec<Solution>, SchemeError> {
    if models.iter().all(|model| matches!(model, Cow::Borrowed(_))) {
        return scheme.decide_all(model, workloads);
    }
    models.iter().zip(workloads).map(|(model, workload)| scheme.decide(model, workload)).collect()
}
