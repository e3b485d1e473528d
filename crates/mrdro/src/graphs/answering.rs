//! Deciding the applications of a file with one scheme.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use data::exchange::{Id, Refusal};
use data::graphs::{GraphAnswer, GraphFileError, GraphInput, GraphRequest, InvalidGraph};
use serde::Serialize;
use sim::graph::GraphModel;
use sim::graph::scheme::{GraphScheme, GraphSolution};

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
    for next in input.applications(&problem.scenario)? {
        match next.map_err(Error::from).and_then(|(request, line)| model_of(problem, &input, request, line)) {
            Ok((id, model)) => {
                let solution = scheme.decide(&model)?;
                let model = solution.model(&model);
                write_line(&mut output, &answer_of(id, &model, &solution))?;
                decided(&model, &solution.places);
                answered += 1;
            }
            Err(error) => {
                let refusal = refusal(&error).filter(|_| options.keep_going);
                let Some(refusal) = refusal else {
                    flush(&mut output)?;
                    return Err(error);
                };
                write_line(&mut output, &refusal)?;
                refused += 1;
            }
        }
    }
    flush(&mut output)?;
    match (answered, refused) {
        (0, 0) => Err(Error::NoApplication),
        (_, 0) => Ok(()),
        _ => Err(Error::Refused { refused, workloads: answered + refused }),
    }
}

fn model_of(
    problem: &GraphProblem,
    input: &GraphInput,
    request: GraphRequest,
    line: usize,
) -> Result<(Option<Id>, GraphModel), Error> {
    let GraphRequest { id, application } = request;
    match problem.scenario.model(application) {
        Ok(model) => Ok((id, model)),
        Err(error) => {
            let (origin, reason) = (input.origin().display().to_string(), error.to_string());
            Err(Error::Application { origin, id, line, reason })
        }
    }
}

fn answer_of<'m>(id: Option<Id>, model: &'m GraphModel, solution: &GraphSolution) -> GraphAnswer<'m> {
    let answer = GraphAnswer::new(id, model, &solution.places, solution.evaluations);
    let answer = if solution.order.is_some() { answer.with_order() } else { answer };
    match solution.optimality.bound(answer.cost) {
        Some(bound) => answer.with_bound(bound),
        None => answer,
    }
}

/// What an application that is refused is answered with; `None`: the answers cannot go on after this error.
fn refusal(error: &Error) -> Option<Refusal> {
    let (id, line, error) = match error {
        Error::GraphFile(GraphFileError::Invalid { reason: InvalidGraph::Json(error), .. }) => {
            (error.id.clone(), error.line, error.error.to_string())
        }
        Error::Application { id, line, reason, .. } => (id.clone(), *line, reason.clone()),
        _ => return None,
    };
    Some(Refusal { id, line: line as u64, error })
}

fn write_line(output: &mut impl Write, answer: &impl Serialize) -> Result<(), Error> {
    let written = serde_json::to_writer(&mut *output, answer).map_err(io::Error::from);
    written.and_then(|()| output.write_all(b"\n")).map_err(|source| Error::Output { source })
}

fn flush(output: &mut impl Write) -> Result<(), Error> {
    output.flush().map_err(|source| Error::Output { source })
}
