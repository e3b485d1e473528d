//! Deciding the applications of a file with one scheme.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use data::exchange::Refusal;
use data::graphs::{GraphAnswer, GraphInput};
use serde::Serialize;
use sim::graph::GraphModel;
use sim::graph::scheme::{GraphScheme, Optimality};

use super::GraphProblem;
use crate::error::Error;

/// What happens to applications that are refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerOptions {
    /// Whether an application that is refused is answered with what is wrong with it, rather than ending the answers.
    pub keep_going: bool,
}

/// Decides all applications of a file and writes one JSON line for each, in the order of the file; `-` is standard input. The
/// content tells its format: JSON objects, a workflow in WfFormat, or a graph of Graphviz. `decided` is told each decision.
///
/// # Errors
/// If the file cannot be read or holds no application, an application is refused (those before it are answered, with
/// `keep_going` those behind it, too), the scheme gives no decision, or an answer cannot be written.
pub fn answer(
    file: &str,
    problem: &GraphProblem,
    output: impl Write,
    scheme: &mut dyn GraphScheme,
    options: AnswerOptions,
    decided: &mut dyn FnMut(&GraphModel, &[u8]),
) -> Result<(), Error> {
    let input = if file == "-" {
        GraphInput::read("standard input", io::stdin().lock())?
    } else {
        GraphInput::open(Path::new(file))?
    };
    let mut output = BufWriter::new(output);
    let (mut answered, mut refused) = (0, 0);
    let mut requests = input.requests(&problem.scenario)?;
    while let Some(next) = requests.next() {
        let modelled = next.and_then(|(request, line)| {
            let model = problem.scenario.model(request.application);
            model.map(|model| (request.id, model)).map_err(|error| requests.refused(line, &error))
        });
        match modelled {
            Ok((id, model)) => {
                let solution = scheme.decide(&model)?;
                let mut line = GraphAnswer::new(id, &model, &solution.places, solution.evaluations);
                if let Some(bound) = solution.optimality.bound(line.cost) {
                    line = line.with_bound(bound);
                    line.optimal = Some(!matches!(solution.optimality, Optimality::Bound(_)) || line.optimal == Some(true));
                }
                write_line(&mut output, &line)?;
                decided(&model, &solution.places);
                answered += 1;
            }
            Err(error) if options.keep_going => {
                let line = error.line().unwrap_or(1) as u64;
                write_line(&mut output, &Refusal { id: None, line, error: error.reason() })?;
                refused += 1;
            }
            Err(error) => {
                flush(&mut output)?;
                return Err(error.into());
            }
        }
    }
    flush(&mut output)?;
    match (answered, refused) {
        (_, 0) => Ok(()),
        _ => Err(Error::Refused { refused, workloads: answered + refused }),
    }
}

fn write_line(output: &mut impl Write, answer: &impl Serialize) -> Result<(), Error> {
    let written = serde_json::to_writer(&mut *output, answer).map_err(io::Error::from);
    written.and_then(|()| output.write_all(b"\n")).map_err(|source| Error::Output { source })
}

fn flush(output: &mut impl Write) -> Result<(), Error> {
    output.flush().map_err(|source| Error::Output { source })
}
