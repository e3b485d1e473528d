//! Run times of tasks from elsewhere than the machines of a system: measured, or predicted from measured layers.

use super::application::{Application, GraphTask};
use super::layer_times::{LayerRegression, LayerWork};
use super::layers::LayerKind;
use super::model::{GraphModel, GraphModelError};
use super::order;

/// The longest time of a task, in seconds: sums and products of times stay far from what an f64 holds.
const MAX_RUN_S: f64 = 1e30;

impl GraphModel {
    /// The same model in which tasks take other times to run. `run_s` gives the time of a task at a place in seconds; `None`
    /// leaves the time as it is. Places that the device cannot use keep the time 0. The order of tasks follows from
    /// the new times.
    ///
    /// The energy of the device follows the times, that of servers the instructions as before.
    ///
    /// ```
    /// # use sim::graph::{GraphScenario, Network};
    /// let model = GraphScenario::load("layers")?.model(Network::AlexNet.application())?;
    /// let measured = model.with_run_times(|task, place| (task == 1 && place == 0).then_some(0.25))?;
    /// assert_eq!(measured.run_s(1, 0), 0.25);
    /// assert_eq!(measured.run_s(1, 1), model.run_s(1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a time is negative, no number or beyond 1e30.
    pub fn with_run_times(&self, run_s: impl Fn(usize, usize) -> Option<f64>) -> Result<Self, GraphModelError> {
        let mut model = self.clone();
        for task in 0..self.tasks() {
            for place in (0..self.places).filter(|place| self.system.is_usable(*place)) {
                let Some(found) = run_s(task, place) else { continue };
                if !(0.0..=MAX_RUN_S).contains(&found) {
                    let (task, place) = (self.application.tasks()[task].name.clone(), self.system.place_name(place));
                    return Err(GraphModelError::RunTime { task, place: place.to_owned(), found });
                }
                model.run_s[task * self.places + place] = found;
            }
        }
        model.order = order::of(&model).into();
        model.sort_edges();
        model.find_costs();
        Ok(model)
    }

    /// The same model in which the times of layers are predicted from measured layers, for each place with a regression.
    /// Tasks without any work keep the time 0.
    ///
    /// # Shapes
    /// `regressions` is `[places]`; places with `None` keep their times.
    ///
    /// # Errors
    /// If a task with work does not say its kind, or no layer of its kind was measured at a place.
    ///
    /// # Panics
    /// If there is not one entry for each place.
    pub fn with_layer_times(&self, regressions: &[Option<&LayerRegression>]) -> Result<Self, GraphModelError> {
        assert_eq!(regressions.len(), self.places(), "one entry for each place");
        let mut run_s = self.run_s.clone();
        for task in 0..self.tasks() {
            for (place, regression) in regressions.iter().enumerate() {
                let Some(regression) = regression.filter(|_| self.system.is_usable(place)) else { continue };
                let predicted = predict_s(&self.application, task, regression);
                run_s[task * self.places + place] = predicted.map_err(|reason| GraphModelError::Prediction {
                    task: self.application.tasks()[task].name.clone(),
                    place: self.system.place_name(place).to_owned(),
                    reason,
                })?;
            }
        }
        self.with_run_times(|task, place| Some(run_s[task * self.places + place]))
    }
}

fn predict_s(application: &Application, task: usize, regression: &LayerRegression) -> Result<f64, PredictionError> {
    let GraphTask { kind, instructions, weights_bytes, .. } = application.tasks()[task];
    let Some(kind) = kind else {
        return if instructions == 0.0 && weights_bytes == 0.0 { Ok(0.0) } else { Err(PredictionError::NoKind) };
    };
    regression.predict_s(kind, &application.layer_work(task)).ok_or_else(|| {
        let measured = regression.fits().iter().map(|fit| fit.kind.name()).collect::<Vec<_>>().join(", ");
        PredictionError::NotMeasured { kind, measured }
    })
}

impl Application {
    /// The work of a task that is a layer. Where edges carry more than the task itself says it receives or passes on,
    /// edges count: the sum of those that end at it, and the largest of those that begin at it, since one output is sent
    /// along each of them.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn layer_work(&self, task: usize) -> LayerWork {
        let GraphTask { instructions, send_bytes, result_bytes, weights_bytes, .. } = self.tasks()[task];
        let received: f64 = self.incoming(task).iter().map(|edge| edge.bytes).sum();
        let passed_on = self.outgoing(task).iter().map(|edge| edge.bytes).fold(0.0, f64::max);
        LayerWork {
            operations: instructions,
            weights_bytes,
            input_bytes: received.max(send_bytes),
            output_bytes: passed_on.max(result_bytes.unwrap_or(0.0)),
        }
    }
}

/// Why the time of a task cannot be predicted from measured layers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredictionError {
    /// The task does not say its kind.
    #[error(
        "it does not say what kind of layer it is; give it a `kind`, one of {}, or leave out layer_times",
        LayerKind::NAMES.map(|(name, _)| name).join(", ")
    )]
    NoKind,
    /// No layer of the kind was measured.
    #[error("no layer of its kind, {kind}, is among the measured ones ({measured}); measure at least three")]
    NotMeasured {
        /// The kind.
        kind: LayerKind,
        /// The kinds that were measured.
        measured: String,
    },
    /// The file of measured layers was not read.
    #[error("the measured layers in {path} have not been read; data::graphs::read_layer_times reads them")]
    NotRead {
        /// The file.
        path: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::scheme::{GraphScheme, Neurosurgeon};
    use crate::graph::{GraphScenario, MeasuredLayer, Network};

    fn alexnet() -> GraphModel {
        let scenario = GraphScenario::load("layers").expect("a preset");
        let application = scenario.pin(Network::AlexNet.application()).expect("tasks can be pinned");
        scenario.model(application).expect("a model")
    }

    /// Layers of all kinds of AlexNet that take a time for each operation and each byte of weights.
    fn measured(s_per_operation: f64, s_per_weights_byte: f64) -> LayerRegression {
        let layer = |(index, layer): (usize, crate::graph::Layer)| MeasuredLayer {
            name: layer.name,
            kind: layer.kind.expect("known"),
            work: LayerWork {
                operations: layer.operations,
                weights_bytes: layer.weights_bytes,
                // Sizes that depend on nothing else, so that the fit cannot take one for another.
                input_bytes: 1e3 * ((7 * index) % 11 + 1) as f64,
                output_bytes: 1e3 * ((5 * index) % 13 + 1) as f64,
            },
            seconds: 1e-6 + s_per_operation * layer.operations + s_per_weights_byte * layer.weights_bytes,
        };
        let layers: Vec<_> = Network::AlexNet.layers().into_iter().enumerate().map(layer).collect();
        LayerRegression::fit(&layers).expect("three of each kind")
    }

    #[test]
    fn times_that_are_left_as_they_are_change_nothing() {
        let model = alexnet();
        let same = model.with_run_times(|_, _| None).expect("valid");
        for on_device in 0..model.tasks() {
            let places: Vec<u8> = (0..model.tasks()).map(|task| u8::from(task > on_device)).collect();
            assert_eq!(model.evaluate(&places), same.evaluate(&places));
        }
        assert_eq!(model.order(), same.order());
    }

    #[test]
    fn neurosurgeon_decides_by_the_predicted_times() {
        let model = alexnet();
        let layers_here = |model: &GraphModel| {
            let places = Neurosurgeon.decide(model).expect("a chain").places;
            model.tasks() - places.iter().map(|place| usize::from(*place)).sum::<usize>() - 2
        };
        // A device that is slower for operations than any transfer, and one that is faster than the server.
        let (slow, fast, server) = (measured(1e-6, 0.0), measured(1e-13, 0.0), measured(1e-12, 0.0));
        let with = |device| model.with_layer_times(&[Some(device), Some(&server)]).expect("all kinds were measured");
        assert_eq!(layers_here(&with(&slow)), 0);
        assert_eq!(layers_here(&with(&fast)), 11);
        // Weights that are slow to read here: the fully connected layers alone move to the server.
        let reads_slowly = measured(1e-13, 1e-8);
        assert_eq!(layers_here(&with(&reads_slowly)), 8);
        let predicted = with(&reads_slowly);
        let fc6 = model.application().position("fc6").expect("a layer");
        let work = model.application().layer_work(fc6);
        assert_eq!(
            predicted.run_s(fc6, 0),
            reads_slowly.predict_s(LayerKind::FullyConnected, &work).expect("it was measured")
        );
        assert_eq!((predicted.run_s(0, 0), predicted.run_s(0, 1)), (0.0, 0.0));
    }

    #[test]
    fn energy_of_the_device_follows_the_predicted_times() {
        let model = alexnet();
        let twice =
            model.with_run_times(|task, place| (place == 0).then_some(2.0 * model.run_s(task, 0))).expect("valid");
        let here = vec![0; model.tasks()];
        let (before, after) = (model.evaluate(&here), twice.evaluate(&here));
        assert!((after.energy_j / before.energy_j - 2.0).abs() < 1e-12, "{before:?} {after:?}");
        assert!((after.time_s / before.time_s - 2.0).abs() < 1e-12);
    }

    #[test]
    fn times_and_kinds_that_make_no_sense_are_refused() {
        let model = alexnet();
        let error = model.with_run_times(|task, _| (task == 2).then_some(-1.0)).expect_err("negative").to_string();
        assert_eq!(error, "the time of the task pool1 at local must be a number of seconds from 0 to 1e30, is -1");
        let error = model.with_run_times(|_, place| (place == 1).then_some(f64::NAN)).expect_err("no number");
        assert!(matches!(error, GraphModelError::RunTime { .. }), "{error}");

        let no_pooling: Vec<MeasuredLayer> = (1..4)
            .map(|size| MeasuredLayer {
                name: format!("a{size}"),
                kind: LayerKind::Convolution,
                work: LayerWork { operations: f64::from(size), ..LayerWork::default() },
                seconds: f64::from(size),
            })
            .collect();
        let regression = LayerRegression::fit(&no_pooling).expect("valid");
        let error = model.with_layer_times(&[None, Some(&regression)]).expect_err("not measured").to_string();
        let expected = "the time of the task pool1 at cloud cannot be predicted: no layer of its kind, pooling, is among the \
                        measured ones (convolution); measure at least three";
        assert_eq!(error, expected);

        let scenario = GraphScenario::load("graph").expect("a preset");
        let application = scenario.draw(&mut crate::random::stream(1, "no layers")).expect("no file");
        let model = scenario.model(application).expect("a model");
        let error = model.with_layer_times(&[Some(&regression), None]).expect_err("no kinds").to_string();
        let start = "the time of the task t1 at local cannot be predicted: it does not say what kind of layer it is; give it a \
                     `kind`, one of convolution, ";
        assert!(error.starts_with(start), "{error}");
    }
}
