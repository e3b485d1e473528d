//! Applications whose tasks follow one another in one row.

use crate::graph::application::Application;

/// The tasks of a chain, in order.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Chain {
    pub(in super::super) tasks: Vec<usize>,
    /// For each task, the bytes from the one before it; 0 for the first.
    pub(in super::super) bytes: Vec<f64>,
}

impl Chain {
    /// `None` if the tasks do not form one chain.
    pub(in super::super) fn of(application: &Application) -> Option<Self> {
        if application.edges().len() + 1 != application.len() {
            return None;
        }
        let tasks: Vec<usize> = application.topological().iter().map(|task| *task as usize).collect();
        let mut bytes = vec![0.0];
        for pair in tasks.windows(2) {
            match application.incoming(pair[1]) {
                [edge] if edge.task as usize == pair[0] => bytes.push(edge.bytes),
                _ => return None,
            }
        }
        Some(Self { tasks, bytes })
    }
}
